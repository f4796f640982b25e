"""Engines of others that decide in Python too: installed apart, given the same rules, and asked the same.

They have an environment of their own below `build/`, whose packages are put behind this one's: Cedar (cedarpy,
Apache-2.0), Casbin (casbin, Apache-2.0) and Rego (regorus through opa-eval, MIT).
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.case import Skipped
from benchmarks.decision_workload import Asked, Rule, rules

PACKAGES = ("cedarpy==4.12.2", "casbin==1.43.0", "opa-eval==0.1.1")
_HOME = Path(__file__).resolve().parent.parent / "build" / "decision-peers"
_DONE = _HOME / ("-".join(PACKAGES).replace("==", "_") + ".done")

Decide = Callable[[Asked], bool]


@dataclass(frozen=True, slots=True)
class Peer:
    """An engine that has its rules: `requests` are as many as are timed, since some take tens of milliseconds each."""

    name: str
    decide: Decide
    requests: int


def peers(count: int) -> Iterator[Peer]:
    """Each with its policy in its usual form, and Rego and Casbin in their fast one. Raises Skipped."""
    _installed()
    yield Peer("cedarpy", _cedar(rules(count)), 20)
    yield Peer("PyCasbin Enforcer", _casbin(rules(count), is_fast=False), 20)
    yield Peer("PyCasbin FastEnforcer", _casbin(rules(count), is_fast=True), 1_000)
    yield Peer("regorus, rules as data", _rego(rules(count)), 1_000)


def _installed() -> None:
    packages = str(_HOME / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages")
    if not _DONE.exists():
        _run(sys.executable, "-m", "venv", "--clear", str(_HOME))
        _run(str(_HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", *PACKAGES)
        _DONE.touch()
    if packages not in sys.path:
        sys.path.append(packages)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Skipped(f"{' and '.join(PACKAGES)} cannot be installed: {' '.join(last)}")


def _stem(path: str) -> str:
    return path.partition("/{")[0].removesuffix("/**")


def _cedar(some: tuple[Rule, ...]) -> Decide:
    cedar: Any = import_module("cedarpy")
    policies = cedar.PolicySet.from_str("\n".join(map(_permit, some)))
    nothing = cedar.Entities.from_json_str("[]")

    def decide(one: Asked) -> bool:
        account, service, method, path = one
        request = {
            "principal": f'Account::"{account}"',
            "action": f'Action::"{method}"',
            "resource": f'Service::"{service}"',
            "context": {"path": path},
        }
        return bool(cedar.is_authorized(request, policies, nothing).allowed)

    return decide


def _permit(rule: Rule) -> str:
    actions = ", ".join(f'Action::"{method}"' for method in rule.methods)
    stem, path = _stem(rule.path), "context.path"
    if rule.path.endswith("/**"):
        when = f'{path} == "{stem}" || {path} like "{stem}/*"'
    elif "{" in rule.path:
        end = rule.path.rpartition("}")[2]
        when = f'{path} like "{stem}/*{end}" && !({path} like "{stem}/*/*{end}") && {path} != "{stem}/{end}"'
    else:
        when = f'{path} == "{stem}"'
    head = f'principal == Account::"{rule.account}", action in [{actions}], resource == Service::"{rule.service}"'
    return f"permit({head}) when {{ {when} }};"


_MODEL = """[request_definition]
r = account, service, method, path
[policy_definition]
p = account, service, method, path
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.account == p.account && r.service == p.service && regexMatch(r.method, p.method) && keyMatch2(r.path, p.path)
"""


def _casbin(some: tuple[Rule, ...], *, is_fast: bool) -> Decide:
    logging.getLogger("casbin").setLevel(logging.CRITICAL)
    casbin: Any = import_module("casbin")
    model, policy = _HOME / "model.conf", _HOME / "policy.csv"
    model.write_text(_MODEL)
    lines = {
        f"p, {rule.account}, {rule.service}, ^({'|'.join(rule.methods)})$, {path}"
        for rule in some
        for path in _key_match(rule.path)
    }
    policy.write_text("\n".join(sorted(lines)))
    files = (str(model), str(policy))
    enforcer = casbin.FastEnforcer(*files, cache_key_order=[0, 1]) if is_fast else casbin.Enforcer(*files)

    def decide(one: Asked) -> bool:
        account, service, method, path = one
        return bool(enforcer.enforce(str(account), str(service), method, path))

    return decide


def _key_match(path: str) -> tuple[str, ...]:
    if path.endswith("/**"):
        return _stem(path), f"{_stem(path)}/*"
    return (path.replace("{id}", ":id"),)


_REGO = """package authz
import rego.v1
default allow := false
allow if {
  some rule in data.rules[input.service][input.account]
  input.method in rule.methods
  takes(rule, input.path)
}
takes(rule, path) if { rule.kind == "whole"; path == rule.path }
takes(rule, path) if { rule.kind == "below"; path == rule.path }
takes(rule, path) if { rule.kind == "below"; startswith(path, concat("", [rule.path, "/"])) }
takes(rule, path) if { rule.kind == "like"; regex.match(rule.path, path) }
"""


def _rego(some: tuple[Rule, ...]) -> Decide:
    rego: Any = import_module("opa_eval")
    by_service: dict[str, dict[str, list[dict[str, object]]]] = {}
    for rule in some:
        kind, path = "whole", _stem(rule.path)
        if rule.path.endswith("/**"):
            kind = "below"
        elif "{" in rule.path:
            kind, path = "like", f"^{rule.path.replace('{id}', '[^/]+')}$"
        entry: dict[str, object] = {"methods": rule.methods, "kind": kind, "path": path}
        by_service.setdefault(str(rule.service), {}).setdefault(str(rule.account), []).append(entry)
    module = _HOME / "authz.rego"
    module.write_text(_REGO)
    engine = rego.OpaEval(str(module), json.dumps({"rules": by_service}), "data.authz.allow")

    def decide(one: Asked) -> bool:
        account, service, method, path = one
        told = {"account": str(account), "service": str(service), "method": method, "path": path}
        return bool(engine.evaluate_parsed(json.dumps(told)))

    return decide
