"""What the variables are called where people read them: as the language writes attributes."""

from __future__ import annotations

from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.smt.environment import Environment


def field_names(environment: Environment) -> dict[int, str]:
    """The field of a request that each variable is a value of; those of what is not modelled have none."""
    names = {environment.caller: "source"}
    for attribute, single in environment.singles.items():
        names.setdefault(single.variable, attribute_name(attribute))
    for attribute, multiple in environment.multiples.items():
        names.update(dict.fromkeys(multiple.variables, attribute_name(attribute)))
    for authorizer, variable in environment.answers.items():
        names[variable] = f"answer of {authorizer}"
    if environment.issuer is not None:
        names[environment.issuer] = "token"
    return names
