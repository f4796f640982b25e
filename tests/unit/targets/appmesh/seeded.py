"""A template with errors that CloudFormation's schemas take, each told in its line: `# RULE: part of the message`."""

from __future__ import annotations

import re

_SEEDED = re.compile(r"# (E96\d\d): (.+)$")

TEMPLATE = """\
Parameters:
  Anything: {Type: String}
  Number: {Type: Number}
  Low: {Type: Number, Default: 7}
Resources:
  Mesh:
    Type: AWS::AppMesh::Mesh
    Properties:
      MeshName: shop
      Spec:
        EgressFilter:
          Type: DROP_EVERYTHING  # E9601: none of `ALLOW_ALL`, `DROP_ALL`
        ServiceDiscovery:
          IpPreference: IPv4  # E9601: did you mean `IPv4_ONLY`
  Pay:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: !GetAtt Mesh.MeshName
      VirtualNodeName: pay
      Spec:
        ServiceDiscovery: {DNS: {Hostname: pay.shop}}
        Listeners:
          - PortMapping: {Port: 9000, Protocol: http}
          - PortMapping: {Port: 9001, Protocol: grpc}
          - PortMapping: {Port: 9000, Protocol: tcp}  # E9602: another listener has the port 9000
          - PortMapping: {Port: 9002, Protocol: tcp}
            Timeout:  # E9602: not of the protocol `tcp`
              HTTP: {Idle: {Unit: s, Value: 1}}
          - PortMapping: {Port: 9003, Protocol: http}
            ConnectionPool:  # E9602: not of the protocol `http`
              GRPC: {MaxRequests: 1}
  Fields:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: shop
      MeshOwner: "123"  # E9601: 3 characters is less than 12
      VirtualNodeName: fields
      Tags:
        - Key: ""  # E9601: less than 1
          Value: v
      Spec:
        ServiceDiscovery:  # E9601: exactly one of
          DNS: {Hostname: a}
          AWSCloudMap: {NamespaceName: a, ServiceName: a}
        Backends:
          - VirtualService:
              VirtualServiceName: pay.shop
              ClientPolicy:
                TLS:
                  Ports: [0]  # E9601: `0` is less than 1
                  Validation:
                    Trust:
                      ACM:
                        CertificateAuthorityArns: [a, b, c, d]  # E9601: 4 entries is more than 3
                    SubjectAlternativeNames:
                      Match:
                        Exact: [""]  # E9601: 0 characters is less than 1
        Logging:
          AccessLog:
            File:
              Path: ""  # E9601: less than 1
        Listeners:
          - PortMapping:
              Port: 70000  # E9601: `70000` is more than 65535
              Protocol: https  # E9601: did you mean `http`
            TLS:
              Mode: SOFT  # E9601: none of `STRICT`
              Certificate:  # E9601: exactly one of
                File: {CertificateChain: /c, PrivateKey: /k}
                SDS: {SecretName: a}
              Validation:
                Trust: {}  # E9601: exactly one of
            HealthCheck:
              HealthyThreshold: 1  # E9601: `1` is less than 2
              UnhealthyThreshold: 11  # E9601: `11` is more than 10
              IntervalMillis: 4999  # E9601: `4999` is less than 5000
              TimeoutMillis: 60001  # E9601: `60001` is more than 60000
              Protocol: http
            OutlierDetection:
              MaxServerErrors: 0  # E9601: `0` is less than 1
              MaxEjectionPercent: 101  # E9601: `101` is more than 100
              Interval: {Unit: m, Value: 1}  # E9601: `m` is none of
              BaseEjectionDuration: {Unit: s, Value: 1}
  Nowhere:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: shop
      VirtualNodeName: nowhere
      Spec:  # E9602: says how it is found
        Listeners: [{PortMapping: {Port: 80, Protocol: http}}]
        Backends:
          - VirtualService: {VirtualServiceName: pay.shop}
          - VirtualService:
              VirtualServiceName: pay.shop  # E9603: is a backend twice
          - VirtualService:
              VirtualServiceName: gone.shop  # E9604: there is no virtual service `gone.shop`
  Again:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: shop
      VirtualNodeName: again
      Spec: {}
  AgainToo:
    Type: AWS::AppMesh::VirtualNode
    Properties: {MeshName: shop, VirtualNodeName: again, Spec: {}}  # E9603: 2 virtual nodes are called `again`
  Service:
    Type: AWS::AppMesh::VirtualService
    Properties:
      MeshName: shop
      VirtualServiceName: pay.shop
      Spec: {Provider: {VirtualRouter: {VirtualRouterName: pay}}}
  Router:
    Type: AWS::AppMesh::VirtualRouter
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      Spec: {Listeners: [{PortMapping: {Port: 9000, Protocol: http}}, {PortMapping: {Port: 9001, Protocol: grpc}}]}
  Route:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: limits
      Spec:
        Priority: 1001  # E9601: `1001` is more than 1000
        HttpRoute:
          Match:
            Method: BREW  # E9601: `BREW` is none of
            Scheme: ftp  # E9601: none of `http`
            Path:
              Regex: ""  # E9601: less than 1
            Headers:
              - Name: x-a
                Match:  # E9601: exactly one of
                  Exact: a
                  Prefix: b
            QueryParameters: []  # E9601: less than 1
          Action:
            WeightedTargets:
              - VirtualNode: pay
                Weight: 101  # E9601: `101` is more than 100
  Targets:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: targets
      Spec:
        HttpRoute:
          Match: {Prefix: /}
          Action:
            WeightedTargets: []  # E9601: 0 entries is less than 1
          RetryPolicy:
            MaxRetries: -1  # E9601: `-1` is less than 0
            PerRetryTimeout: {Unit: s, Value: 1}
            TcpRetryEvents: [connection-err]  # E9601: did you mean `connection-error`
  Kinds:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: kinds
      Spec:  # E9602: exactly one kind of route
        HttpRoute: {Match: {Prefix: /}, Action: {WeightedTargets: [{VirtualNode: pay, Weight: 1}]}}
        TcpRoute:  # E9603: does not speak `tcp` there
          Action: {WeightedTargets: [{VirtualNode: pay, Weight: 1}]}
  Rules:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: rules
      Spec:
        HttpRoute:
          Match:  # E9602: a prefix or a path, not both
            Prefix: charge  # E9602: does not start with `/`
            Port: 8080  # E9603: does not listen at 8080
            Path:  # E9602: exact or a regular expression
              Exact: /a
              Regex: /b
            Headers:
              - Name: x-a
                Match:
                  Range:  # E9602: starts before it ends
                    Start: 9
                    End: !Ref Low
          RetryPolicy:
            MaxRetries: 1
            PerRetryTimeout: {Unit: s, Value: 1}
            HttpRetryEvents: [server-error, serious-error]  # E9602: `serious-error` is none of
          Action:
            WeightedTargets:
              - VirtualNode: gone  # E9604: there is no virtual node `gone`
                Weight: 1
              - VirtualNode: pay
                Port: 7  # E9603: does not listen at 7
                Weight: 1
  Grpc:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: grpc
      Spec:
        GrpcRoute:
          Match:
            MethodName: Get  # E9602: needs the name of its service
            Port: 9001
          Action: {WeightedTargets: [{VirtualNode: pay, Weight: 1, Port: 9001}]}
  OtherProtocol:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: shop
      VirtualRouterName: pay
      RouteName: protocol
      Spec:
        TcpRoute:  # E9603: does not speak `tcp` there
          Match: {Port: 9000}
          Action: {WeightedTargets: [{VirtualNode: pay, Weight: 1}]}
  Gate:
    Type: AWS::AppMesh::VirtualGateway
    Properties:
      MeshName: shop
      VirtualGatewayName: gate
      Spec: {Listeners: [{PortMapping: {Port: 80, Protocol: http}}]}
  In:
    Type: AWS::AppMesh::GatewayRoute
    Properties:
      MeshName: shop
      VirtualGatewayName: gate
      GatewayRouteName: in
      Spec:
        HttpRoute:
          Match:
            Prefix: /aws-appmesh/x  # E9602: is reserved for App Mesh
            Hostname:  # E9602: exact or a suffix
              Exact: a
              Suffix: b
          Action:
            Target: {VirtualService: {VirtualServiceName: pay.shop}}
            Rewrite:  # E9602: a prefix or a path is rewritten
              Path: {Exact: /a}
              Prefix:  # E9602: the default or a value
                DefaultPrefix: DISABLED
                Value: /
"""

CLEAN = """\
Parameters:
  Anything: {Type: String}
  Number: {Type: Number}
Resources:
  Mesh:
    Type: AWS::AppMesh::Mesh
    Properties: {MeshName: !Ref Anything, Spec: {EgressFilter: {Type: DROP_ALL}}}
  Pay:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: !GetAtt Mesh.MeshName
      VirtualNodeName: !Sub "${Anything}-pay"
      Spec:
        ServiceDiscovery: {DNS: {Hostname: pay.shop}}
        Listeners: [{PortMapping: {Port: !Ref Number, Protocol: http}}]
  Service:
    Type: AWS::AppMesh::VirtualService
    Properties:
      MeshName: !GetAtt Mesh.MeshName
      VirtualServiceName: pay.shop
      Spec: {Provider: {VirtualRouter: {VirtualRouterName: !GetAtt Router.VirtualRouterName}}}
  Router:
    Type: AWS::AppMesh::VirtualRouter
    Properties:
      MeshName: !GetAtt Mesh.MeshName
      VirtualRouterName: pay
      Spec: {Listeners: [{PortMapping: {Port: !Ref Number, Protocol: http}}]}
  Route:
    Type: AWS::AppMesh::Route
    Properties:
      MeshName: !GetAtt Mesh.MeshName
      VirtualRouterName: !GetAtt Router.VirtualRouterName
      RouteName: pay
      Spec:
        HttpRoute:
          Match: {Prefix: !Sub "${Anything}/x", Port: 9000}
          Action:
            WeightedTargets:
              - {VirtualNode: pay, Weight: 1, Port: !Ref Number}
              - {VirtualNode: !GetAtt Pay.VirtualNodeName, Weight: 1}
"""
"""What a deployment may still make right: nothing is found in it."""


def seeded() -> list[tuple[int, str, str]]:
    """The errors in the template: line, rule, and a part of what is said."""
    lines = enumerate(TEMPLATE.splitlines(), 1)
    return [(number, found[1], found[2]) for number, line in lines if (found := _SEEDED.search(line))]
