"""Why a request gets no decision. None of these is a refusal: the question has no answer as it was put."""

from __future__ import annotations

from meshproof.compiler.ir.names import AuthorizerName, Origin
from meshproof.compiler.ir.unmodelled_advice import advice_for, plain_field


class MalformedRequest(Exception):  # noqa: N818  the word of the reference: "well-formed"
    """The request cannot exist in this mesh, or leaves out a field that decides. `reason` is one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MissingAnswer(Exception):  # noqa: N818  it names what is missing
    """The decision hangs on what `authorizer` would say, and the request does not tell."""

    def __init__(self, authorizer: AuthorizerName) -> None:
        super().__init__(f"the decision needs the answer of `{authorizer}`")
        self.authorizer = authorizer


class NotModelled(Exception):  # noqa: N818  it says what is so
    """The decision hangs on `field` of a foreign file, which is not modelled: either outcome is possible."""

    def __init__(self, field: str, origin: Origin) -> None:
        super().__init__(f"the decision depends on `{field}`, which is not modelled")
        self.field = field
        self.origin = origin

    @property
    def told(self) -> str:
        """What people are told: the field as it is written, and the way out if there is one to name."""
        advice = advice_for(self.field)
        said = f"the decision depends on `{plain_field(self.field)}`, which is not modelled"
        return said if advice is None else f"{said}: {advice}"
