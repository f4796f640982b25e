"""Raw paths that what was emitted judges in another form than the policy: requests are compared by normal paths.

Where every path that goes on is normal there is nothing to compare. Elsewhere a deny, an ask or an `unless` by path may
be stepped round by a path of which the workload behind takes another reading (language.md, step 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice, product

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Service
from meshproof.compiler.ir.matchers import Exact, Matcher, Regex, Segments
from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import And, Never, Not, Or, Path, Predicate, Test, attributes_of, disjunction
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.patterns.automaton import difference, includes, intersection
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.istio_universe import judged_paths
from meshproof.compiler.patterns.pattern import Regex as Pattern
from meshproof.compiler.patterns.pattern import to_automaton
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.semantics import MalformedRequest, MissingAnswer, NotModelled, decide
from meshproof.compiler.smt.policy import Policies, PortKey, PortPolicy
from meshproof.compiler.verify.semantic_diff_values import DiffWitness, Undecided
from meshproof.compiler.verify.translation_gaps import Compared, Gap
from meshproof.compiler.verify.translation_ways import met

_NORMAL = frozenset((PathMode.LANGUAGE, PathMode.DECODE_AND_MERGE_SLASHES))
_KEEPING_DOTS = PathMode.NONE
_MOST_TRIED = 4000
_MOST_CALLERS = 12


def path_gaps(about: Compared) -> Iterator[Gap | Undecided]:
    """Each port at which a raw path may step round a rule: with a request that does, or as what is not known."""
    if about.lifted.paths in _NORMAL:
        return
    policies, emitted = Policies(about.source, about.day), Policies(about.lifted, about.day)
    for node in about.source.nodes:
        judging = node.via if isinstance(node, External) else node.name
        if judging is None or judging not in about.to_new:
            continue  # what senders judge themselves they judge by no path
        for number in sorted({port.workload for port in node.ports if port.layer is not Layer.TCP}):
            if not about.part.has(node.name, number):
                continue
            policy = policies.policy(PortKey(node.name, number))
            there = [emitted.policy(key) for key in _places(node, number, about.to_new[judging], about)]
            hazards = _hazards(policy, there, about)
            if hazards and not policy.is_observed:
                yield _gap(node, policy, hazards, about)


def _places(node: Node, number: int, judging: NodeName, about: Compared) -> Iterator[PortKey]:
    """Where requests to a port are judged: an external's at whatever ports its gateway has."""
    if not isinstance(node, External):
        yield PortKey(judging, number)
        return
    for gateway in about.lifted.gateways:
        yield from (PortKey(gateway.name, port.workload) for port in gateway.ports if gateway.name == judging)


def _gap(node: Node, policy: PortPolicy, hazards: tuple[AuthzRule, ...], about: Compared) -> Gap | Undecided:
    port = "" if policy.declared is None else policy.declared.name
    place, rules = f"{node.name}:{port}", ", ".join(f"`{rule.id}`" for rule in hazards)
    mode = about.lifted.paths
    witness = None if isinstance(node, External) else next(_shown(policy, about), None)
    if witness is None:
        reason = f"raw paths are judged there as {mode} leaves them, which may step round {rules}"
        return Undecided(place, reason)
    emitted = f"lets the path `{witness.request.path}` through, as {mode} leaves it"
    return Gap(
        is_looser=True,
        place=place,
        subject=str(node.name),
        emitted=emitted,
        policy=f"refuses what it stands for (by {rules})",
        witness=witness,
    )


def _hazards(policy: PortPolicy, there: Sequence[PortPolicy], about: Compared) -> tuple[AuthzRule, ...]:
    """The rules that a raw path may step round; none where the files let in no path with a slash in disguise."""
    reading = [rule for rule in policy.rules if Path() in attributes_of(rule.content)]
    if any(one.paths is _KEEPING_DOTS for one in there):
        return tuple(reading)
    stepped = [rule for rule in reading if rule.effect is not Effect.ALLOW or _takes_out(rule.when)]
    entered = [tuple(_let_in_raw(one)) for one in there]
    if not stepped or not any(one.open_layers or rules for one, rules in zip(there, entered, strict=True)):
        return ()
    if isinstance(policy.node, External):
        return tuple(stepped)  # its callers come through a gateway, which is another port to them
    ((one, rules),) = zip(there, entered, strict=True)
    return met(policy, one, stepped, rules, about)


def _let_in_raw(there: PortPolicy) -> Iterator[AuthzRule]:
    """The rules of a port that let in paths that may stand for others, without what else they let in."""
    for rule in there.rules:
        if rule.effect is Effect.ALLOW and rule.layer is not Layer.TCP:
            left = _not_plain(rule.content, there.paths)
            if left != Never():
                yield replace(rule, operations=(), when=left)


def _not_plain(predicate: Predicate, mode: PathMode) -> Predicate:
    if _is_plain(predicate, mode):
        return Never()
    if isinstance(predicate, Or):
        return disjunction(tuple(_not_plain(one, mode) for one in predicate.operands))
    return predicate


def _is_plain(predicate: Predicate, mode: PathMode) -> bool:
    """Whether only paths that are written out have it, or such as stay what they are when slashes are decoded."""
    match predicate:
        case Test(Path(), Exact()):
            return True
        case Test(Path(), Regex(pattern=text)):
            return _keeps_out_escapes((text,), (), mode)
        case And(operands):
            taken = tuple(filter(None, map(_expression, operands)))
            out = tuple(_taken_away(operands))
            return any(_is_plain(one, mode) for one in operands) or _keeps_out_escapes(taken, out, mode)
        case Or(operands):
            return all(_is_plain(one, mode) for one in operands)
        case _:
            return False


def _taken_away(operands: tuple[Predicate, ...]) -> Iterator[str]:
    """The expressions that no path may pass where all operands hold: what else a refusal asks for holds already."""
    for one in operands:
        if isinstance(one, Not):
            asked = one.operand.operands if isinstance(one.operand, And) else (one.operand,)
            left = [part for part in asked if part not in operands]
            text = _expression(left[0]) if len(left) == 1 else None
            if text is not None:
                yield text


def _expression(predicate: Predicate) -> str | None:
    match predicate:
        case Test(Path(), Regex(pattern=text)):
            return text
        case _:
            return None


@lru_cache(maxsize=1024)
def _keeps_out_escapes(taken: tuple[str, ...], out: tuple[str, ...], mode: PathMode) -> bool:
    """Whether each path that the mode leaves, and that all of the first expressions take and none of the others, is one
    with no slash in disguise.
    """  # noqa: D205
    left = judged_paths(IstioMode(mode.value)).language
    try:
        for text in taken:
            left = intersection(left, to_automaton(Pattern(text)))
        for text in out:
            left = difference(left, to_automaton(Pattern(text)))
    except (PatternRefused, PatternTooLarge):
        return False
    return includes(judged_paths(IstioMode.DECODE_AND_MERGE_SLASHES).language, left)


def _takes_out(predicate: Predicate, *, is_negated: bool = False) -> bool:
    """Whether an allow takes paths out."""
    match predicate:
        case Test(Path(), _):
            return is_negated
        case Not(operand):
            return _takes_out(operand, is_negated=not is_negated)
        case And(operands) | Or(operands):
            return any(_takes_out(one, is_negated=is_negated) for one in operands)
        case _:
            return False


def _shown(policy: PortPolicy, about: Compared) -> Iterator[DiffWitness]:
    """Requests with raw paths that one side lets through and the other refuses in one of their readings."""
    tried = product(_raw_paths(policy), _methods(policy), _callers(about))
    for path, method, caller in islice(tried, _MOST_TRIED):
        request = Request(
            source=Peer(caller),
            destination=policy.key.node,
            port=policy.key.port,
            protocol=RequestProtocol.HTTP,
            method=method,
            host=str(policy.key.node),
            path=path,
        )
        if _is_stepping_round(request, about):
            yield about.shown(request)


def _is_stepping_round(request: Request, about: Compared) -> bool:
    """Whether it is let through, and the policy refuses it as it reads it, or refuses one of its readings by a rule."""
    try:
        there = replace(request, destination=about.to_new[request.destination])
        if not decide(about.lifted, there, about.day).is_allowed:
            return False
        own = decide(about.source, request, about.day)
        if not own.is_allowed and own.reason is not Reason.PATH:
            return True
        found = (
            decide(about.source, replace(request, path=path), about.day) for path in _readings(request.path or "/")
        )
        return any(not one.is_allowed and one.reason in {Reason.RULE, Reason.ASK} for one in found)
    except (MalformedRequest, MissingAnswer, NotModelled):
        return False


def _readings(raw: str) -> Iterator[str]:
    for mode in (IstioMode.BASE, IstioMode.MERGE_SLASHES, IstioMode.DECODE_AND_MERGE_SLASHES):
        try:
            yield istio_path(raw, mode)
        except PatternRefused:
            continue


def _raw_paths(policy: PortPolicy) -> Iterator[str]:
    """Spellings of paths that rules speak of, and ways to them from below others."""
    plain = tuple(dict.fromkeys(path for rule in policy.rules for path in _examples(rule)))
    for path in plain:
        for place in (number for number, char in enumerate(path) if char == "/"):
            yield f"{path[:place]}//{path[place + 1 :]}"
            if place:
                yield f"{path[:place]}%2F{path[place + 1 :]}"
                yield f"{path[:place]}/x/../{path[place + 1 :]}"
    for path, other in product(plain, plain):
        yield f"{path}{'/..' * path.count('/')}{other}"
        yield f"{path}{'%2F..' * path.count('/')}{other.replace('/', '%2F')}"


def _examples(rule: AuthzRule) -> Iterator[str]:
    for matcher in (*(one.path for one in rule.operations), *_tested(rule.when)):
        match matcher:
            case Exact(value=value):
                yield value
            case Segments(pattern=pattern):
                yield "/".join("x" if part[:1] in {"*", "{"} else part for part in pattern.split("/"))
            case _:
                continue


def _tested(predicate: Predicate) -> Iterator[Matcher]:
    match predicate:
        case Test(Path(), matcher):
            yield matcher
        case Not(operand):
            yield from _tested(operand)
        case And(operands) | Or(operands):
            for one in operands:
                yield from _tested(one)
        case _:
            return


def _methods(policy: PortPolicy) -> tuple[str, ...]:
    named = (method for rule in policy.rules for one in rule.operations for method in one.methods)
    return tuple(dict.fromkeys((*named, "GET")))


def _callers(about: Compared) -> tuple[str | None, ...]:
    nodes: tuple[Service | Gateway, ...] = (*about.source.services, *about.source.gateways)
    declared = dict.fromkeys(one.identity.uri for one in nodes)
    return (*islice(declared, _MOST_CALLERS), None)
