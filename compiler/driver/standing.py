"""What is known of files that were emitted, under each judgement, in the words that the files and reports have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.verify.translation import TranslationVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_NAMES = 3
_WORDS = {
    TranslationVerdict.EQUAL: "proved",
    TranslationVerdict.STRICTER: "proved but for listed losses, which refuse more",
    TranslationVerdict.UNKNOWN: "not proved",
    TranslationVerdict.WRONG: "not what the policy says",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A verdict under a judgement; `without` names what of the policy is no part of it, as callers alone keep that."""

    judgement: Judgement
    verdict: TranslationVerdict
    without: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One clause without a full stop."""
        more = len(self.without) - _MOST_NAMES
        names = ", ".join(f"`{name}`" for name in self.without[:_MOST_NAMES]) + (
            f" and {more} more" if more > 0 else ""
        )
        rest = f", and without {names}, which callers' own proxies alone keep" if names else ""
        return f"{self.judgement}: {_WORDS[self.verdict]}{rest}"


def standings(
    of_servers: TranslationVerdict, together: TranslationVerdict, kept: Iterable[str]
) -> tuple[Standing, ...]:
    """The two: what servers enforce without what is `kept` by callers, and what holds where those are honest."""
    return (
        Standing(Judgement.ENFORCED, of_servers, tuple(sorted(set(kept)))),
        Standing(Judgement.COOPERATIVE, together),
    )
