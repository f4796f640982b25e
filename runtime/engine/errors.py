"""What keeps the engine from a decision. Whoever asks it refuses the request then."""

from __future__ import annotations

from meshproof.compiler.ir.names import AuthorizerName


class EngineError(Exception):
    """There is no decision. The message is one lower-case sentence."""


class UnsupportedPolicyError(EngineError):
    """A policy says what the runtime cannot keep, so none of it is loaded."""


class UnknownDestinationError(EngineError):
    """Nothing of that name is declared; what is not declared is refused."""


class MalformedRequestError(EngineError):
    """There is no such request: the port speaks something else, or an address is none."""


class MissingFieldError(EngineError):
    """A rule reads a field that was left out, though every such request has it."""


class AnswerNeededError(EngineError):
    """The decision depends on external authorizers: ask them, and decide again with what they say."""

    def __init__(self, authorizers: tuple[AuthorizerName, ...]) -> None:
        super().__init__("the decision needs an answer of " + ", ".join(f"`{name}`" for name in authorizers))
        self.authorizers = authorizers
