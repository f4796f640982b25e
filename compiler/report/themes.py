"""What findings about manifests are about, for whoever reads many at once."""

from __future__ import annotations

from enum import Enum


class Theme(Enum):
    """A theme; the value is its place, and `title` how it is called."""

    OPEN = 1
    DEAD = 2
    BROKEN = 3
    UNKNOWN = 4
    OTHER = 5

    @property
    def title(self) -> str:
        """How the findings of the theme are introduced."""
        return _TITLES[self]


_TITLES = {
    Theme.OPEN: "Open, or easy to step round",
    Theme.DEAD: "Says nothing, or not what it seems to say",
    Theme.BROKEN: "Refused, or broken",
    Theme.UNKNOWN: "Not known",
    Theme.OTHER: "Besides",
}
THEMES = tuple(Theme)
_OPEN = frozenset(
    (
        "MP305",
        "MP313",
        "MP314",
        "MP315",
        "MP316",
        "MP322",
        "MP323",
        "MP325",
        "MP326",
        "MP327",
        "MP330",
        "MP331",
        "MP411",
        "MP412",
        "MP501",
        "MP502",
        "MP504",
        "MP505",
        "MP506",
        "MP507",
        "MP508",
        "MP717",
        "MP718",
        "MP721",
        "MP722",
        "MP724",
    )
)
_DEAD = frozenset(
    (
        "MP301",
        "MP302",
        "MP303",
        "MP304",
        "MP306",
        "MP307",
        "MP308",
        "MP319",
        "MP324",
        "MP329",
        "MP332",
        "MP401",
        "MP403",
        "MP407",
        "MP408",
        "MP503",
        "MP714",
        "MP715",
        "MP716",
        "MP719",
        "MP720",
    )
)
_BROKEN = frozenset(("MP317", "MP328", "MP402", "MP405", "MP409", "MP410", "MP711", "MP712"))
_UNKNOWN = frozenset(("MP318", "MP605", "MP606", "MP713"))


def theme_of(code: str) -> Theme:
    """The theme of findings of the code."""
    for codes, theme in ((_OPEN, Theme.OPEN), (_DEAD, Theme.DEAD), (_BROKEN, Theme.BROKEN), (_UNKNOWN, Theme.UNKNOWN)):
        if code in codes:
            return theme
    return Theme.OTHER
