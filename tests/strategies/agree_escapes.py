"""Ways round a rule, in a small world: by a last slash, by another host; and who has something of a rule at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from tests.strategies.brute import Judged, World
from tests.strategies.brute_rules import RuleSets
from tests.strategies.meshes import DAY

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.matchers import Regex, Template
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import And, Host, Not, Or, Path, Predicate, Test, attributes_of
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.semantics import facts_of
from meshproof.compiler.semantics.authorize import rule_truth, speaking_rules
from meshproof.compiler.verify import breadth_of, host_trusts, slash_escapes


def compare_slashes(world: World) -> Counter[str]:
    """How many denies a last slash escapes; where some are missed on purpose, what is found must be true."""
    sets = RuleSets(world, is_admitted=False)
    result = slash_escapes(world.analysis)
    assert not result.undecided
    found = {one.rule: one.witness.request for one in result.found}
    counts: Counter[str] = Counter()
    for rule in sets.rules.values():
        if rule.effect is not Effect.DENY or not world.analysis.scopes_of(rule.id):
            assert rule.id not in found
            continue
        expected = any(_is_slash_escape(world, rule, one, number in sets.matches[rule.id]) for number, one in _of(sets))
        assert expected or rule.id not in found, (rule, found, world.mesh)
        assert rule.id in found or not expected or _is_read_partly(rule.content), (rule, world.mesh)
        counts["escaped by a slash" if rule.id in found else "kept with a slash"] += 1
        if rule.id in found:
            _check_slash(world, rule, found[rule.id])
    return counts


def _of(sets: RuleSets) -> Iterator[tuple[int, Judged]]:
    return iter(enumerate(sets.requests))


def _is_slash_escape(world: World, rule: AuthzRule, one: Judged, is_match: bool) -> bool:
    return one.is_allowed and not is_match and _matches_slashed(world, rule, one.request)


def _check_slash(world: World, rule: AuthzRule, request: Request) -> None:
    assert _matches_slashed(world, rule, request)


def _matches_slashed(world: World, rule: AuthzRule, request: Request) -> bool:
    if request.protocol is RequestProtocol.TCP or request.path is None:
        return False
    path, mark, query = request.path.partition("?")
    if path == "/":
        return False
    other = replace(
        request,
        path=(path[:-1] if path.endswith("/") else f"{path}/") + mark + query,
        protocol=RequestProtocol.HTTP,
    )
    facts = facts_of(world.mesh, other, DAY)
    is_speaking = rule.id in {one.id for one in speaking_rules(world.mesh, other, facts, DAY)}
    return is_speaking and rule_truth(rule, world.nodes[request.destination], facts, {}) is True


def _is_read_partly(predicate: Predicate, *, is_negative: bool = False) -> bool:
    """Whether a path is named to leave it out, or written as something that is read in one direction."""
    match predicate:
        case Test(Path(), matcher):
            return is_negative or isinstance(matcher, Regex | Template)
        case Not(operand):
            return _is_read_partly(operand, is_negative=not is_negative)
        case And(operands) | Or(operands):
            return any(_is_read_partly(operand, is_negative=is_negative) for operand in operands)
        case _:
            return False


def compare_hosts(world: World) -> Counter[str]:
    """How many denies a caller in the mesh escapes with another host."""
    sets = RuleSets(world, is_admitted=False)
    result = host_trusts(world.analysis)
    assert not result.undecided
    found = {one.rule for one in result.found}
    counts: Counter[str] = Counter()
    for rule in sets.rules.values():
        if rule.effect is Effect.DENY and world.analysis.scopes_of(rule.id) and Host() in attributes_of(rule.content):
            expected = _is_escaped_by_host(sets, rule)
            assert (rule.id in found) == expected, (rule, world.mesh)
            counts["escaped by a host" if expected else "kept whatever the host"] += 1
    return counts


def _is_escaped_by_host(sets: RuleSets, rule: AuthzRule) -> bool:
    gateways = {node.name for node in sets.world.mesh.nodes if isinstance(node, Gateway)}
    identities = sets.world.identities(gateways)
    groups: dict[tuple[object, Request], list[int]] = {}
    for number, one in enumerate(sets.requests):
        if one.key.node not in gateways and one.facts.identity not in identities:
            plain = replace(one.request, protocol=RequestProtocol.HTTP) if one.request.path else one.request
            groups.setdefault((one.key, replace(plain, host=None)), []).append(number)
    matches = sets.matches[rule.id]
    return any(
        any(number in matches for number in group)
        and any(number not in matches and sets.requests[number].is_allowed for number in group)
        for group in groups.values()
    )


def compare_callers(world: World) -> Counter[str]:
    """How many rules have something for every identity, and how many only for who brings a token."""
    sets = RuleSets(world, is_admitted=False)
    counts: Counter[str] = Counter()
    for name, matches in sets.matches.items():
        if not matches or not world.analysis.scopes_of(name):
            continue
        breadth = breadth_of(world.analysis, name)
        live = {sets.requests[number].key for number in matches}
        has_identities = all(world.mode(key) is not MtlsMode.DISABLED for key in live)
        every = all(_callers(sets, key) <= _callers(sets, key, matches) for key in live)
        token = all(sets.requests[number].facts.claims is not None for number in matches)
        assert breadth.has_every_identity == every or not has_identities, (name, world.mesh)
        assert breadth.needs_token == token, (name, world.mesh)
        counts["for every identity" if every else "for some"] += 1
        counts["for tokens" if token else "without tokens"] += 1
    return counts


def _callers(sets: RuleSets, key: object, numbers: frozenset[int] | None = None) -> set[int]:
    return {
        one.caller
        for number, one in enumerate(sets.requests)
        if one.key == key and one.facts.identity is not None and (numbers is None or number in numbers)
    }
