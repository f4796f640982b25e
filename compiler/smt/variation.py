"""Two requests that differ in one attribute alone, for questions about what that attribute changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    Header,
    Query,
    SourceIdentity,
    TokenAudience,
    TokenIssuer,
)
from meshproof.compiler.smt.atoms import AUDIENCE, canonical
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import Formula, Point


@dataclass(frozen=True, slots=True)
class Variation:
    """The variables of the attribute, each with the one that it has in the other request.

    `axioms` make the other request well-formed; `added` says that the other has more than the first: a value more of a
    header, a token or identity where the first has none.
    """

    names: Mapping[int, int]
    axioms: tuple[Formula, ...]
    added: Formula

    def other(self, environment: Environment, formula: Formula) -> Formula:
        """The formula, of the other request."""
        return environment.formulas.renamed(formula, self.names)

    def other_point(self, point: Point) -> Point:
        """The other request of a point of both."""
        values = list(point)
        for variable, name in self.names.items():
            values[variable] = point[name]
        return tuple(values)


def variation_of(environment: Environment, attribute: Attribute) -> Variation | None:
    """The variation in one attribute; None if nothing in play tells its values apart."""
    variables = _variables(environment, attribute)
    if not variables:
        return None
    formulas = environment.formulas
    names = {variable: formulas.variable(formulas.sizes[variable]) for variable in variables}
    axioms = tuple(formulas.renamed(axiom, names) for axiom in environment.axioms)
    return Variation(names, axioms, _added(environment, attribute, names))


def _variables(environment: Environment, attribute: Attribute) -> tuple[int, ...]:
    attribute = canonical(attribute)
    if isinstance(attribute, SourceIdentity):
        return (environment.caller,) if len(environment.local) > 1 else ()
    if isinstance(attribute, TokenIssuer):
        return _token_variables(environment)
    if isinstance(attribute, TokenAudience):
        attribute = AUDIENCE
    if attribute in environment.multiples:
        return environment.multiples[attribute].variables
    if attribute in environment.singles:
        return (environment.singles[attribute].variable,)
    return ()


def _token_variables(environment: Environment) -> tuple[int, ...]:
    """A token comes and goes with its claims."""
    if environment.issuer is None:
        return ()
    claims = (found for attribute, found in environment.multiples.items() if isinstance(attribute, Claim))
    return (environment.issuer, *(variable for found in claims for variable in found.variables))


def _added(environment: Environment, attribute: Attribute, names: Mapping[int, int]) -> Formula:
    formulas = environment.formulas
    match canonical(attribute):
        case SourceIdentity():
            is_anonymous = environment.is_caller(environment.callers.anonymous)
            return formulas.conjunction((is_anonymous, formulas.negation(formulas.renamed(is_anonymous, names))))
        case TokenIssuer() if environment.issuer is not None:
            has_none = formulas.literal(environment.issuer, 0b1)
            return formulas.conjunction((has_none, formulas.negation(formulas.renamed(has_none, names))))
        case Header() | Query() | Claim() | TokenAudience():
            return formulas.conjunction(
                formulas.disjunction((formulas.literal(variable, 0b01), formulas.literal(name, 0b10)))
                for variable, name in names.items()
            )
        case _:
            return formulas.conjunction(())


def attributes_in_play(environment: Environment) -> Iterable[Attribute]:
    """The attributes whose values are told apart, callers and tokens first."""
    yield SourceIdentity()
    if environment.issuer is not None:
        yield TokenIssuer()
    yield from environment.singles
    yield from environment.multiples
