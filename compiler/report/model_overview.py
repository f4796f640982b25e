"""What a mesh lets happen, before anything is said of what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.ir.request import Request


class OpenTo(StrEnum):
    """Whom a workload lets in; the value is how it is said."""

    ANYONE = "anyone, without an identity too"
    IDENTIFIED = "whoever has an identity"
    NAMED = "those alone whom rules name"
    NOBODY = "nobody"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Workloads, or gateways, that are equally open, with a request that one of them lets in."""

    to: OpenTo
    names: tuple[str, ...]
    are_gateways: bool = False
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What manifests allow: groups from the most open one, and kinds of objects that were passed over, with counts."""

    groups: tuple[OpenGroup, ...]
    skipped: tuple[tuple[str, int], ...] = ()
