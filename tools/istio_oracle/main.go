// Command istio_oracle prints what istiod would push, for whoever holds a reading of Istio's objects against it.
//
// It reads one case a line from stdin, as JSON, and answers with one line each: the listeners that istiod computes for
// the proxies of the case, in Envoy's JSON, and what its admission says of each of its own objects. Nothing is pushed
// and nothing runs: no cluster, no proxy. Feature flags come from the environment, as with istiod.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/test"
	"istio.io/istio/pkg/util/protomarshal"
)

// A proxy is one that connects to istiod: a sidecar, a gateway (router) or a waypoint.
type proxy struct {
	Type      string            `json:"type"`
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	IP        string            `json:"ip"`
	Labels    map[string]string `json:"labels"`
	Account   string            `json:"account"`
}

// A testCase is a cluster: objects of Istio, those of Kubernetes and of the Gateway API, mesh configuration, proxies.
type testCase struct {
	Istio      string  `json:"istio"`
	Kubernetes string  `json:"kubernetes"`
	Mesh       string  `json:"mesh"`
	Proxies    []proxy `json:"proxies"`
}

type answer struct {
	Error     string              `json:"error,omitempty"`
	Refusals  map[string]string   `json:"refusals"`
	Listeners [][]json.RawMessage `json:"listeners"`
}

func main() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var given testCase
		found := answer{}
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			found.Error = err.Error()
		} else if err := test.Wrap(func(t test.Failer) { found = answerTo(t, given) }); err != nil {
			found.Error = err.Error()
		}
		if err := out.Encode(found); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func answerTo(t test.Failer, given testCase) answer {
	settings := mesh.DefaultMeshConfig()
	if given.Mesh != "" {
		applied, err := mesh.ApplyMeshConfig(given.Mesh, settings)
		if err != nil {
			t.Fatalf("mesh configuration: %v", err)
		}
		settings = applied
	}
	text, refusals := admitted(given.Istio)
	found := answer{Refusals: refusals, Listeners: [][]json.RawMessage{}}
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		ConfigString:           text,
		KubernetesObjectString: given.Kubernetes,
		MeshConfig:             settings,
	})
	for _, one := range given.Proxies {
		found.Listeners = append(found.Listeners, listenersOf(t, server, one))
	}
	return found
}

// admitted are the objects that istiod's admission takes, and its words about each other one, by its place in the text.
func admitted(text string) (string, map[string]string) {
	kept, refusals := []string{}, map[string]string{}
	for place, one := range strings.Split(text, "\n---\n") {
		if _, _, err := crd.ParseInputs(one); err != nil {
			refusals[strconv.Itoa(place)] = err.Error()
			continue
		}
		kept = append(kept, one)
	}
	return strings.Join(kept, "\n---\n"), refusals
}

func listenersOf(t test.Failer, server *xds.FakeDiscoveryServer, one proxy) []json.RawMessage {
	node := server.SetupProxy(&model.Proxy{
		Type:            model.NodeType(one.Type),
		ID:              one.Name + "." + one.Namespace,
		ConfigNamespace: one.Namespace,
		IPAddresses:     []string{one.IP},
		Labels:          one.Labels,
		Metadata: &model.NodeMetadata{
			Namespace:      one.Namespace,
			Labels:         one.Labels,
			ServiceAccount: one.Account,
			IstioVersion:   "1.31.0",
			ClusterID:      "Kubernetes",
		},
	})
	found := []json.RawMessage{}
	for _, each := range server.Listeners(node) {
		if !isInbound(node, each) {
			continue
		}
		text, err := protomarshal.ToJSON(each)
		if err != nil {
			t.Fatalf("listener %s: %v", each.Name, err)
		}
		found = append(found, json.RawMessage(text))
	}
	return found
}

// isInbound tells the listener for what comes to a sidecar from those for what it sends; a gateway's all take calls.
func isInbound(node *model.Proxy, each *listener.Listener) bool {
	return node.Type != model.SidecarProxy || each.Name == model.VirtualInboundListenerName
}
