"""Files of every kind, what they hold, and why they are refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.targets.appmesh.lift.scenes import (
    PAY,
    WEB,
    gateway,
    gateway_route,
    listener,
    node,
    read,
    read_text,
    route,
    router,
    service,
    tls,
    told,
    validated,
)
from tests.unit.targets.appmesh.strategies import resources

from meshproof.targets.appmesh.spelling import CLOUDFORMATION
from meshproof.targets.appmesh.write import to_json

TEMPLATE = f"""
Parameters:
  Name: {{Type: String, Default: shop}}
  Caller: {{Type: String}}
  Open: {{Type: String, Default: "no"}}
Conditions:
  IsOpen: !Equals [!Ref Open, "yes"]
Resources:
  Queue: {{Type: AWS::SQS::Queue}}
  Mesh: {{Type: AWS::AppMesh::Mesh, Properties: {{MeshName: !Ref Name}}}}
  Pay:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: !GetAtt Mesh.MeshName
      Spec:
        ServiceDiscovery: {{DNS: {{Hostname: pay.local}}}}
        Listeners:
          - PortMapping: {{Port: 9000, Protocol: http}}
            TLS: !If
              - IsOpen
              - !Ref AWS::NoValue
              - Mode: STRICT
                Certificate: {{SDS: {{SecretName: "{PAY}"}}}}
                Validation:
                  Trust: {{SDS: {{SecretName: "spiffe://shop.example"}}}}
                  SubjectAlternativeNames: {{Match: {{Exact: [!Ref Caller]}}}}
  Spare:
    Type: AWS::AppMesh::VirtualNode
    Condition: IsOpen
    Properties: {{MeshName: !GetAtt Mesh.MeshName, VirtualNodeName: spare, Spec: {{}}}}
"""


def _callers(*settings: tuple[str, str]) -> dict[str, str]:
    mesh = read_text(TEMPLATE, settings=settings).mesh
    assert mesh is not None
    return {str(rule.id): rule.sources.text for rule in mesh.rules}


def test_a_template_is_worked_out_with_its_parameters() -> None:
    given_caller = ("app-mesh.parameter.Caller", WEB)
    assert _callers(given_caller) == {"shop/${Pay}:9000": f'source == "{WEB}"'}
    assert _callers(("app-mesh.parameter.Open", "yes")) == {"shop/${Pay}:9000": "anyone"}
    assert _callers(("app-mesh.parameter.Name", "mall")) == {"mall/${Pay}:9000": "`subjectAlternativeNames`"}


def test_what_a_condition_leaves_out_is_not_there() -> None:
    assert {one.name for one in read_text(TEMPLATE).objects} == {"shop", "${Pay}"}
    opened = read_text(TEMPLATE, settings=(("app-mesh.parameter.Open", "yes"),))
    assert {one.name for one in opened.objects} == {"shop", "${Pay}", "spare"}
    assert opened.skipped == (("AWS::SQS::Queue", 1),)


def test_a_condition_that_nobody_can_decide_is_refused_with_the_way_out() -> None:
    lifted = read_text(TEMPLATE.replace(', Default: "no"', ""))
    assert lifted.mesh is None
    (one, *_) = lifted.diagnostics
    assert (one.code, one.message) == ("MP726", "whether `${Open}` is `yes` is not known")
    assert one.help is not None
    assert "app-mesh.parameter.Open=VALUE" in one.help


OBJECTS = """
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata: {name: shop}
spec: {egressFilter: {type: DROP_ALL}, namespaceSelector: {matchLabels: {mesh: shop}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {name: web, namespace: front}
spec:
  podSelector: {matchLabels: {app: web}}
  backends:
    - virtualService: {virtualServiceRef: {name: pay, namespace: back}}
  backendDefaults:
    clientPolicy:
      tls:
        certificate: {sds: {secretName: "spiffe://shop.example/web"}}
        validation: {trust: {acm: {certificateAuthorityARNs: ["arn:aws:acm-pca:eu-west-1:123456789012:x"]}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {name: pay, namespace: back}
spec:
  listeners:
    - portMapping: {port: 9000, protocol: http}
      tls: {mode: STRICT, certificate: {acm: {certificateARN: "arn:aws:acm:eu-west-1:123456789012:y"}}}
  serviceDiscovery: {dns: {hostname: pay.back}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata: {name: pay, namespace: back}
spec: {provider: {virtualRouter: {virtualRouterRef: {name: pay}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualRouter
metadata: {name: pay, namespace: back}
spec:
  awsName: pay-router
  listeners: [{portMapping: {port: 9000, protocol: http}}]
  routes:
    - name: all
      httpRoute:
        match: {prefix: /}
        action: {weightedTargets: [{virtualNodeRef: {name: pay}, weight: 1}]}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata: {name: gate, namespace: edge}
spec: {listeners: [{portMapping: {port: 80, protocol: http}}], gatewayRouteSelector: {matchLabels: {gate: "yes"}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata: {name: pay, namespace: edge, labels: {gate: "yes"}}
spec:
  httpRoute:
    match: {prefix: /pay}
    action: {target: {virtualService: {virtualServiceRef: {name: pay, namespace: back}}}}
---
apiVersion: v1
kind: Service
metadata: {name: pay}
"""


def test_objects_of_the_controller_are_the_resources_that_it_makes() -> None:
    lifted = read_text(OBJECTS)
    assert lifted.mesh is not None, told(lifted)
    assert [f"{one.kind} {one.name}" for one in lifted.objects] == [
        "Mesh shop",
        "VirtualNode web_front",
        "VirtualNode pay_back",
        "VirtualService pay.back",
        "VirtualRouter pay-router",
        "Route all",
        "VirtualGateway gate_edge",
        "GatewayRoute pay_edge",
    ]
    web = next(one for one in lifted.mesh.services if one.name == "front/web")
    assert [str(need.destination) for need in web.calls] == ["back/pay"]
    targets = [target.node for branch in lifted.mesh.routes[0].branches for target in branch.targets]
    assert set(targets) == {"back/pay"}
    assert lifted.skipped == (("Service", 1),)


def test_objects_keep_the_names_that_kubernetes_knows() -> None:
    told_node = {
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualNode",
        "metadata": {"name": "pay-v1", "namespace": "back"},
        "spec": {
            "podSelector": {"matchLabels": {"version": "v1", "app": "pay"}},
            "listeners": [{"portMapping": {"port": 9000, "protocol": "http"}}],
            "serviceDiscovery": {"dns": {"hostname": "pay.back.svc.cluster.local"}},
        },
    }
    found = read_text(json.dumps(told_node), "node.json").mesh
    assert found is not None
    (one,) = found.services
    assert (one.name, one.namespace, one.platform_name, one.account) == ("back/pay-v1", "back", "pay", "pay-v1")
    assert one.labels == (("app", "pay"), ("version", "v1"))


def test_an_object_without_a_name_makes_no_mesh() -> None:
    lifted = read_text(OBJECTS.replace("metadata: {name: web, ", "metadata: {"))
    assert lifted.mesh is None
    assert ("MP712", "the VirtualNode has no `metadata.name`") in {
        (one.code, one.message) for one in lifted.diagnostics
    }


def test_when_a_request_is_sent_again_may_be_a_parameter_that_is_not_told() -> None:
    text = """
Parameters: {Event: {Type: String}}
Resources:
  Mesh: {Type: "AWS::AppMesh::Mesh", Properties: {MeshName: shop}}
  Route:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: all
      Spec:
        HttpRoute:
          Match: {Prefix: /}
          Action: {WeightedTargets: [{VirtualNode: pay, Weight: 1}]}
          RetryPolicy: {MaxRetries: 1, PerRetryTimeout: {Unit: s, Value: 1}, HttpRetryEvents: [EVENT]}
"""
    assert read_text(text.replace("EVENT", "!Ref Event")).mesh is not None
    assert [one.code for one in read_text(text.replace("EVENT", "sometimes")).diagnostics][:1] == ["MP712"]


def test_a_list_of_kubectl_is_its_items() -> None:
    items = [{"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "shop"}, "spec": {}}]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    assert [one.name for one in read_text(listed, "list.json").objects] == ["shop"]


def test_an_answer_of_the_api_is_read_as_a_call_is() -> None:
    called = node("pay", listener(9000))
    answered = {"virtualNode": {**called, "metadata": {"version": 1}, "status": {"status": "ACTIVE"}}}
    assert read(answered).mesh is not None
    assert [one.name for one in read(answered).objects] == [one.name for one in read(called).objects] == ["pay"]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (node("a", listener(80), listener(80)), "MP712 another listener has the port 80"),
        (node("a", listener(80, "udp")), "MP712 VirtualNode.spec.listeners[0].portMapping.protocol: `udp` is none of"),
        (node("a", listener(80, tsl={})), "MP711 VirtualNode.spec.listeners[0].tsl: `tsl` is no field of it"),
        (
            node("a", listener(80, timeout={"grpc": {}})),
            "MP712 it is not of the protocol `http` of the listener",
        ),
        ({**node("a", listener(80)), "spec": {"listeners": [listener(80)]}}, "MP712 a node with listeners says how"),
        (gateway_route("r", {"prefix": "pay"}, "s"), "MP712 the prefix `pay` does not start with `/`"),
        (gateway_route("r", {"prefix": "/aws-appmesh/x"}, "s"), "MP712 the prefix `/aws-appmesh/x` is reserved"),
        (gateway_route("r", {"prefix": "/", "path": {"exact": "/"}}, "s"), "MP712 a match has a prefix or a path"),
        (gateway_route("r", {"path": {}}, "s"), "MP712 a path is exact or a regular expression"),
        (gateway_route("r", {"prefix": "/", "hostname": {}}, "s"), "MP712 a host name is exact or a suffix"),
        (
            gateway_route("r", {"path": {"exact": "/"}}, "s", rewrite={"prefix": {"value": "/x"}}),
            "MP712 the match has no prefix that could be rewritten",
        ),
        (
            {**route("r", "v", {"prefix": "/"}, a=1), "spec": {}},
            "MP712 exactly one kind of route must be given, and none of them stands here",
        ),
        ({"meshName": "shop", "virtualNodeName": 1}, "MP712 VirtualNode: `spec` is missing"),
        ({"kind": "nothing"}, "MP124 this is no resource of App Mesh"),
    ],
)
def test_what_app_mesh_refuses_makes_no_mesh(made: dict[str, object], message: str) -> None:
    lifted = read(made)
    assert lifted.mesh is None
    assert any(one.startswith(message) for one in told(lifted)), told(lifted)
    assert all(one.primary is not None for one in lifted.diagnostics)


def test_two_of_one_name_make_no_mesh() -> None:
    lifted = read(node("a"), node("a"))
    assert lifted.mesh is None
    assert "MP712 another VirtualNode is called `a`" in told(lifted)


def test_of_several_meshes_one_is_chosen() -> None:
    other = {**node("b"), "meshName": "mall"}
    assert read(node("a"), other).mesh is None
    assert told(read(node("a"), other))[0] == "MP709 the files hold 2 meshes: `shop`, `mall`"
    chosen = read(node("a"), other, settings=(("app-mesh.mesh", "mall"),)).mesh
    assert chosen is not None
    assert [str(one.name) for one in chosen.services] == ["mall/b"]
    assert read(node("a"), settings=(("app-mesh.mesh", "mall"),)).mesh is None
    assert told(read(node("a"), settings=(("app-mesh.mush", "mall"),))) == [
        "MP709 App Mesh has no option `app-mesh.mush`"
    ]


def test_a_parameter_that_no_template_has_is_told() -> None:
    lifted = read_text(TEMPLATE, settings=(("app-mesh.parameter.Calle", WEB), ("app-mesh.parameter.AWS::Region", "x")))
    assert lifted.mesh is None
    assert told(lifted) == ["MP709 no template has the parameter `Calle`"]
    assert lifted.diagnostics[0].help == "did you mean `Caller`?"


def test_of_many_meshes_a_few_are_named() -> None:
    many = read(*({**node("a"), "meshName": f"m{number}"} for number in range(9)))
    assert told(many)[0] == "MP709 the files hold 9 meshes: `m0`, `m1`, `m2`, `m3`, `m4` and 4 more"


def test_what_callers_keep_and_what_is_missing_is_told() -> None:
    lifted = read(
        {"meshName": "shop", "spec": {"egressFilter": {"type": "DROP_ALL"}}},
        node("web", backends=("pay.local", "gone.local")),
        service("pay.local", node="pay"),
        service("books.local", router="books"),
        gateway("gate", listener(80, tls=tls("STRICT", validation=validated(WEB)))),
        router("split"),
        route("r", "split", {"prefix": "/"}, web=1),
    )
    assert told(lifted)[1:] == [
        "MP727 what the proxies of callers alone keep, keeps nobody out: 2 backends, 1 route, the egress filter",
        "MP715 `pay.local` names the virtual node `pay`, and no file has it",
        "MP715 `books.local` names the virtual router `books`, and no file has it",
        "MP715 `web` names the virtual service `gone.local`, and no file has it",
    ]
    assert told(lifted)[0].startswith("MP725 AWS ended App Mesh on 2026-09-30")


@given(resources())
def test_no_resource_breaks_the_reader(resource: object) -> None:
    """Whatever the service model takes is read, or refused with a place."""
    kind = type(resource).__name__
    template = {"Resources": {"It": {"Type": f"AWS::AppMesh::{kind}", "Properties": to_json(resource, CLOUDFORMATION)}}}
    lifted = read_text(json.dumps(template), "t.json")
    assert (lifted.mesh is None) == any(one.severity.value == "error" for one in lifted.diagnostics)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: (
            st.lists(one)
            | st.dictionaries(
                st.sampled_from(
                    ["Resources", "Type", "Ref", "Fn::If", "Fn::Sub", "Properties", "Conditions", "apiVersion", "spec"]
                ),
                one,
            )
        ),
    )
)
def test_no_json_breaks_the_reader(value: object) -> None:
    lifted = read_text(
        json.dumps({"Resources": {"A": value, "B": {"Type": "AWS::AppMesh::Mesh", "Properties": value}}})
    )
    assert lifted.mesh is None or lifted.mesh.name
