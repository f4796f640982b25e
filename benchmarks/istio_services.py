"""Services in a mesh of Istio, each with one AuthorizationPolicy of so many rules: what other analysers read too.

The same for the same number. A rule lets one to three callers do one thing at one service. So that there is something
to find, a rule of every fifth service is part of another one, and one of every tenth is part of two others together.
No two rules are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

NAMESPACE = "shop"
RULES = 3
_NOUNS = ("orders", "items", "carts", "users", "quotes", "events", "reports", "sessions", "invoices", "stock")
_VERBS = ("GET", "GET", "GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call with which method which path; a path that ends in `*` is a prefix."""

    callers: tuple[str, ...]
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service, and the rules about calls to it."""

    name: str
    rules: tuple[Rule, ...]


def services(count: int) -> tuple[Service, ...]:
    """So many services with three rules each."""
    random = Random(count)  # noqa: S311  the same each time
    names = [f"s{number}" for number in range(count)]
    return tuple(Service(name, _rules(random, number, names)) for number, name in enumerate(names))


def edited(old: tuple[Service, ...]) -> tuple[Service, ...]:
    """The same with one rule in ten changed: another path, or a caller less."""
    random = Random(-len(old))  # noqa: S311  the same each time
    found = list(old)
    for number in random.sample(range(len(old)), k=max(2, len(old) * RULES // 10)):
        first, *rest = found[number].rules
        changed = replace(first, path=f"/api/v3/{random.choice(_NOUNS)}")
        if len(first.callers) > 1 and random.random() < 0.5:
            changed = replace(first, callers=first.callers[1:])
        found[number] = replace(found[number], rules=(changed, *rest))
    return tuple(found)


def topology(of: tuple[Service, ...]) -> str:
    """The namespace, and of each service the account, the Service and the Deployment."""
    return "---\n".join(
        (
            f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n",
            *(_workload(service.name) for service in of),
        )
    )


def policies(of: tuple[Service, ...]) -> str:
    """An AuthorizationPolicy a service; one without rules lets nothing in."""
    return "---\n".join(map(_policy, of))


def _rules(random: Random, number: int, names: list[str]) -> tuple[Rule, ...]:
    own = names[number]
    callers = [name for name in names if name != own]
    found: list[Rule] = []
    while len(found) < RULES:
        chosen = tuple(random.sample(callers, k=random.choice((1, 1, 1, 2, 3))))
        path = f"/api/v{random.choice((1, 1, 2))}/{random.choice(_NOUNS)}{random.choice(('', '/*'))}"
        rule = Rule(chosen, random.choice(_VERBS), path)
        if rule not in found:
            found.append(rule)
    if number % 5 == 1:
        found[0] = replace(found[0], path="/api/v1/*")
        found[2] = replace(found[0], callers=found[0].callers[:1], path="/api/v1/orders/*")
    if number % 10 == 3:
        one, other, third, fourth = random.sample(callers, k=4)
        found[0] = replace(found[2], callers=(one, third))
        found[1] = replace(found[2], callers=(other, fourth))
        found[2] = replace(found[2], callers=(one, other))
    return tuple(found)


def _workload(name: str) -> str:
    place = f"{{name: {name}, namespace: {NAMESPACE}}}"
    return f"""apiVersion: v1
kind: ServiceAccount
metadata: {place}
---
apiVersion: v1
kind: Service
metadata: {place}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 8080, targetPort: 8080}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {place}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      serviceAccountName: {name}
      containers: [{{name: main, image: "example/{name}:1", ports: [{{containerPort: 8080}}]}}]
"""


def _policy(service: Service) -> str:
    rules = "".join(map(_rule, service.rules)) or " []\n"
    return f"""apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {service.name}, namespace: {NAMESPACE}}}
spec:
  selector: {{matchLabels: {{app: {service.name}}}}}
  action: ALLOW
  rules:{rules}"""


def _rule(rule: Rule) -> str:
    principals = ", ".join(f"cluster.local/ns/{NAMESPACE}/sa/{caller}" for caller in rule.callers)
    return f"""
  - from: [{{source: {{principals: [{principals}]}}}}]
    to: [{{operation: {{methods: [{rule.method}], paths: ["{rule.path}"]}}}}]
"""
