"""Questions about one port as SMT-LIB text that stands alone, so that any solver can answer them again.

A question is over the classes that the patterns in play tell apart: each variable is a number of a class, and a comment
gives a member of each, so that a reader can follow. Nothing here asks a solver.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from meshproof.compiler.ir.predicate import Attribute, Claim, Header, JoinedHeader, Query
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import Conjunction, Disjunction, Formula, Formulas, Literal

_TRUTH = 2
_LONGEST = 80
_MOST_MEMBERS = 8


def smtlib(encoding: Encoding, formula: Formula) -> str:
    """Assertions that can be satisfied exactly if some request is in the formula, whatever is not modelled may be."""
    environment = encoding.environment
    formulas = environment.formulas
    roots = tuple(dict.fromkeys((*environment.axioms, formula)))
    names = {variable: f"v{number}" for number, variable in enumerate(sorted(formulas.variables_of(roots)))}
    writer = _Writer(formulas, names)
    terms = [writer.term(root) for root in roots]
    legend = _legend(environment)
    lines = ["(set-logic QF_BV)"]
    for variable, name in names.items():
        lines += (f"; {name}: {line}" for line in legend.get(variable, ()))
        lines += _declaration(name, formulas.sizes[variable])
    return "\n".join((*lines, *writer.definitions, *(f"(assert {term})" for term in terms), "(check-sat)")) + "\n"


def closed(script: str) -> str:
    """The assertions of the second encoding, over strings, as text that stands alone."""
    return f"(set-logic QF_SLIA)\n{script}\n(check-sat)\n"


def _declaration(name: str, size: int) -> Iterator[str]:
    if size == _TRUTH:
        yield f"(declare-const {name} Bool)"
        return
    width = _width(size)
    yield f"(declare-const {name} (_ BitVec {width}))"
    if size != 1 << width:
        yield f"(assert (bvule {name} (_ bv{size - 1} {width})))"


def _width(size: int) -> int:
    return max(1, (size - 1).bit_length())


class _Writer:
    """Each compound formula once, as a definition after those of its parts."""

    def __init__(self, formulas: Formulas, names: Mapping[int, str]) -> None:
        self._formulas = formulas
        self._names = names
        self._terms: dict[Formula, str] = {}
        self.definitions: list[str] = []

    def term(self, formula: Formula) -> str:
        """The formula as a term over what was defined before."""
        pending = [formula]
        while pending:  # no recursion: a policy of thousands of rules is a deep formula
            one = pending[-1]
            missing = [part for part in self._parts(one) if part not in self._terms]
            if missing:
                pending += missing
                continue
            pending.pop()
            if one not in self._terms:
                self._terms[one] = self._written(one)
        return self._terms[formula]

    def _parts(self, formula: Formula) -> Sequence[Formula]:
        shape = self._formulas.shape(formula)
        return shape.parts if isinstance(shape, Conjunction | Disjunction) else ()

    def _written(self, formula: Formula) -> str:
        shape = self._formulas.shape(formula)
        if isinstance(shape, bool):
            return str(shape).lower()
        if isinstance(shape, Literal):
            return self._literal(shape)
        word = "and" if isinstance(shape, Conjunction) else "or"
        name = f"f{len(self.definitions)}"
        body = " ".join(self._terms[part] for part in shape.parts)
        self.definitions.append(f"(define-fun {name} () Bool ({word} {body}))")
        return name

    def _literal(self, literal: Literal) -> str:
        name, size = self._names[literal.variable], self._formulas.sizes[literal.variable]
        if size == _TRUTH:
            return name if literal.mask >> 1 else f"(not {name})"
        ranges = [_between(name, low, high, _width(size)) for low, high in _runs(literal.mask)]
        return ranges[0] if len(ranges) == 1 else f"(or {' '.join(ranges)})"


def _between(name: str, low: int, high: int, width: int) -> str:
    if low == high:
        return f"(= {name} (_ bv{low} {width}))"
    return f"(and (bvule (_ bv{low} {width}) {name}) (bvule {name} (_ bv{high} {width})))"


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """The values of a mask as ranges of neighbours, both ends included."""
    low = 0
    while mask >> low:
        if mask >> low & 1:
            high = low
            while mask >> (high + 1) & 1:
                high += 1
            yield low, high
            low = high
        low += 1


def _legend(environment: Environment) -> dict[int, tuple[str, ...]]:
    """What each variable stands for, a line for each of its values."""
    found: dict[int, tuple[str, ...]] = {}
    titles = [caller.title for caller in environment.callers.classes]
    groups = ([title for number, title in enumerate(titles) if mask >> number & 1] for mask in environment.local)
    found[environment.caller] = ("the caller", *_values(groups))
    for attribute, single in environment.singles.items():
        absent: tuple[str, ...] = ("absent",) if single.may_be_absent else ()
        values = _values([one] for one in (*absent, *single.classes.witnesses))
        found.setdefault(single.variable, (_name(attribute), *values))
    for attribute, multiple in environment.multiples.items():
        for variable, witness in zip(multiple.variables, multiple.classes.witnesses, strict=True):
            found[variable] = (f"some value of {_name(attribute)} is one such as {_quoted(witness)}",)
    if environment.issuer is not None:
        values = _values([one] for one in ("no valid token", *environment.issuer_urls))
        found[environment.issuer] = ("the issuer of the token", *values)
    shape = environment.formulas.shape(environment.is_http)
    if isinstance(shape, Literal):
        found[shape.variable] = ("false where the connection carries HTTP",)
    found.update({number: (f"the answer of {name} is yes",) for name, number in environment.answers.items()})
    found.update(
        {number: (f"what is not modelled: {_quoted(one.field)}",) for one, number in environment.opaques.items()}
    )
    return found


def _values(groups: Iterable[Sequence[str]]) -> Iterator[str]:
    for number, members in enumerate(groups):
        more = f" and {len(members) - _MOST_MEMBERS} more" if len(members) > _MOST_MEMBERS else ""
        yield f"  {number} such as {', '.join(map(_quoted, members[:_MOST_MEMBERS]))}{more}"


def _quoted(text: str) -> str:
    """The text in one line of ASCII, which nothing in it can end."""
    quoted = json.dumps(text)
    return quoted if len(quoted) <= _LONGEST else f"{quoted[:_LONGEST]}..."


def _name(attribute: Attribute) -> str:
    match attribute:
        case Header(name) | JoinedHeader(name):
            return f"the header {_quoted(name)}"
        case Query(name):
            return f"the query parameter {_quoted(name)}"
        case Claim(path):
            return f"the claim {_quoted('.'.join(path))}"
        case _:
            return f"{type(attribute).__name__}"
