"""AuthorizationPolicy: what each workload lets in.

Every protected workload has a policy that allows nothing, so that it refuses what no rule allows even when its last
allow is deleted. Istio pools the policies of a workload: which object a rule stands in means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import AuthorizerName
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import Condition, IstioObject, Operation, Piece, PolicyRule, Source
from meshproof.targets.istio.options import CustomProviders
from meshproof.targets.istio.policy_rules import Bench, policy_rules
from meshproof.targets.istio.raw_paths import tell_raw_paths
from meshproof.targets.istio.requests import Shape
from meshproof.targets.istio.speaker import Speaker
from meshproof.targets.istio.workloads import (
    Judgement,
    Workload,
    end_of,
    first_wrong_day,
    observation,
    ports_of_layer,
)

KIND = "AuthorizationPolicy"
DRY_RUN = ("istio.io/dry-run", "true")
RULES_MAX = 512
"""The most rules that the API server takes in one object."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What goes into one object: Istio's action, the provider asked, and whether it only logs."""

    action: str
    is_dry_run: bool = False
    provider: AuthorizerName | None = None

    @property
    def suffix(self) -> str:
        """The last part of the object's name."""
        words = ["audit"] if self.is_dry_run else []
        words.append("ask" if self.action == "CUSTOM" else self.action.lower())
        return "-".join([*words, self.provider] if self.provider is not None else words)


def authorization_policies(context: Context, node: Workload, judgements: tuple[Judgement, ...]) -> list[IstioObject]:
    """The objects for one workload; what cannot be said goes into the findings of the context."""
    observed = observation(context.mesh, node, context.day)
    bench = Bench(node, context.domains, context.mesh.gateways)
    lowered = _lower(context, bench, judgements, is_observed=observed is not None)
    objects = [_nothing(context, node, is_dry_run=observed is not None)]
    if observed is not None and context.is_closed(node.namespace):
        objects.append(_object(context, node, "observed", {"action": "ALLOW", "rules": [{}]}))
    for bucket, found in lowered.items():
        objects += _filled(context, node, bucket, found)
    if observed is not None:
        end = first_wrong_day((observed.until,))
        objects = [replace(one, valid_until=min(filter(None, (one.valid_until, end)), default=None)) for one in objects]
    return objects


Found = list[tuple[AuthzRule, tuple[PolicyRule, ...]]]


def _lower(
    context: Context, bench: Bench, judgements: tuple[Judgement, ...], *, is_observed: bool
) -> dict[_Bucket, Found]:
    """Denies first: a template in one of them closes the paths of the allows."""
    order = sorted(judgements, key=lambda one: (one.rule.effect is Effect.ALLOW, one.rule.id))
    lowered: dict[_Bucket, Found] = {}
    is_closed = False
    providers: list[AuthorizerName] = []
    for judgement in order:
        rule = judgement.rule
        bucket = _bucket(rule, is_observed=is_observed)
        speaker = Speaker(context.findings, str(rule.id), rule.origin, rule.effect)
        shape = Shape(
            speaker,
            context.options.header_values,
            is_closed=is_closed and rule.effect is Effect.ALLOW,
            merges_slashes=context.options.path_normalization.merges_slashes,
        )
        try:
            if rule.effect is Effect.ASK:
                _check_provider(context, bench.node, judgement, providers)
                if is_observed or not rule.is_enforced:
                    context.findings.residual(
                        str(rule.id), rule.origin, f"Istio logs nothing of `{rule.id}`: CUSTOM has no dry run"
                    )
                    continue
            found = policy_rules(judgement, bench, shape)
        except NotExpressibleError as error:
            context.findings.unsupported(str(rule.id), rule.origin, error)
            continue
        lowered.setdefault(bucket, []).append((rule, found))
        if rule.effect is not Effect.ALLOW and not bucket.is_dry_run:
            is_closed = is_closed or any(_has_template(one) for one in found)
    tell_raw_paths(context, order, lowered_allows(lowered))
    return lowered


def lowered_allows(lowered: dict[_Bucket, Found]) -> tuple[PolicyRule, ...]:
    """Every rule that lets requests in: what only logs lets none."""
    enforced = (found for bucket, found in lowered.items() if bucket == _Bucket("ALLOW"))
    return tuple(one for found in enforced for _, many in found for one in many)


def _bucket(rule: AuthzRule, *, is_observed: bool) -> _Bucket:
    is_dry_run = is_observed or not rule.is_enforced
    match rule.effect:
        case Effect.ALLOW:
            return _Bucket("ALLOW", is_dry_run)
        case Effect.DENY:
            return _Bucket("DENY", is_dry_run)
        case Effect.ASK:
            return _Bucket("CUSTOM", provider=rule.authorizer)


def _check_provider(context: Context, node: Workload, judgement: Judgement, providers: list[AuthorizerName]) -> None:
    name = judgement.rule.authorizer
    authorizer = next((one for one in context.mesh.authorizers if one.name == name), None)
    if name is None or authorizer is None:
        raise NotExpressibleError(Feature.ASK, "it names no authorizer that is declared")
    if name not in providers:
        providers.append(name)
    if len(providers) > 1 and context.options.custom_providers is CustomProviders.ONE:
        raise NotExpressibleError(
            Feature.ASK,
            f"`{node.name}` asks two providers, `{providers[0]}` and `{name}`, and Istio would refuse every request",
            "set PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS in istiod and say `--option istio.custom-providers=many`",
        )
    if authorizer.protocol == "http" and set(judgement.ports) & ports_of_layer(node, Layer.TCP):
        raise NotExpressibleError(
            Feature.ASK,
            f"it does not ask `{name}` about TCP connections, since it speaks HTTP",
            "use a grpc one",
        )


def _has_template(rule: PolicyRule) -> bool:
    return any("{*}" in path for operation in rule.operations for path in operation.paths)


def _nothing(context: Context, node: Workload, *, is_dry_run: bool) -> IstioObject:
    found = _object(context, node, "default", {"action": "ALLOW"}, (Piece(str(node.name)),))
    return replace(found, annotations=(DRY_RUN,)) if is_dry_run else found


def _filled(context: Context, node: Workload, bucket: _Bucket, found: Found) -> Iterator[IstioObject]:
    flat = [(rule, one) for rule, many in sorted(found, key=lambda item: item[0].id) for one in many]
    for number, start in enumerate(range(0, len(flat), RULES_MAX)):
        part = flat[start : start + RULES_MAX]
        spec: dict[str, Value] = {"action": bucket.action}
        if bucket.provider is not None:
            spec["provider"] = {"name": bucket.provider}
        spec["rules"] = [_rule(one) for _, one in part]
        pieces = tuple(Piece(str(rule.id), index) for index, (rule, _) in enumerate(part))
        suffix = bucket.suffix if number == 0 else f"{bucket.suffix}-{number + 1}"
        yield replace(
            _object(context, node, suffix, spec, pieces),
            valid_until=first_wrong_day(end_of(rule) for rule, _ in part),
            annotations=(DRY_RUN,) if bucket.is_dry_run else (),
        )


def _object(
    context: Context, node: Workload, suffix: str, spec: dict[str, Value], pieces: tuple[Piece, ...] = ()
) -> IstioObject:
    name = context.name(KIND, node.namespace, f"{node.name}-{suffix}", node.origin)
    whole: dict[str, Value] = {"selector": {"matchLabels": dict(node.labels)}, **spec}
    return IstioObject(KIND, node.namespace, name, whole, pieces)


def closed_namespaces(context: Context) -> Iterator[IstioObject]:
    """What nobody declared in a closed namespace refuses everything."""
    for namespace in context.mesh.namespaces:
        if not namespace.is_closed:
            continue
        if namespace.name == context.options.root_namespace:
            error = NotExpressibleError(
                Feature.CLOSED_NAMESPACE,
                "a policy without selector in the root namespace closes every namespace of the mesh",
                "take `closed` away, or name another root namespace with `--option istio.root-namespace=...`",
            )
            context.findings.unsupported(namespace.name, namespace.origin, error)
            continue
        name = context.name(KIND, namespace.name, "closed", namespace.origin)
        yield IstioObject(KIND, namespace.name, name, {"action": "ALLOW"}, (Piece(namespace.name),))


def _rule(rule: PolicyRule) -> Value:
    found: dict[str, Value] = {}
    if rule.sources:
        found["from"] = [{"source": _source(one)} for one in rule.sources]
    found["to"] = [{"operation": _operation(one)} for one in rule.operations]
    if rule.conditions:
        found["when"] = [_condition(one) for one in rule.conditions]
    return found


def _fields(*pairs: tuple[str, tuple[str, ...]]) -> Value:
    return {name: list(values) for name, values in pairs if values}


def _source(source: Source) -> Value:
    return _fields(("principals", source.principals), ("notPrincipals", source.not_principals))


def _operation(one: Operation) -> Value:
    return _fields(
        ("hosts", one.hosts),
        ("notHosts", one.not_hosts),
        ("ports", one.ports),
        ("methods", one.methods),
        ("notMethods", one.not_methods),
        ("paths", one.paths),
        ("notPaths", one.not_paths),
    )


def _condition(one: Condition) -> Value:
    lists = _fields(("values", one.values), ("notValues", one.not_values))
    return {"key": one.key, **lists} if isinstance(lists, dict) else {"key": one.key}
