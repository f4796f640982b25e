"""What is at the admin address of a sidecar."""

from __future__ import annotations

from datetime import UTC, datetime

from meshproof.compiler.ir.json_text import Json, canonical
from meshproof.runtime.net.admin import Page
from meshproof.runtime.net.material.given import Given
from meshproof.runtime.net.material.holding import Holding
from meshproof.runtime.net.material.keys import IssuerKeys
from meshproof.runtime.net.process.supervisor import Supervisor
from meshproof.runtime.net.process.telling import Telling
from meshproof.runtime.telemetry.metrics.exposition import CONTENT_TYPE, exposition

_SECONDS = 2.0
"""How long workers may take to say how they are; of one that is slower the last report is shown."""


class SidecarPages:
    """`/healthz`, `/readyz`, `/metrics`, `/policy`. Nothing there is secret, and nothing can be changed there."""

    def __init__(self, given: Given, keys: IssuerKeys, supervisor: Supervisor, telling: Telling) -> None:
        self._given = given
        self._keys = keys
        self._supervisor = supervisor
        self._telling = telling
        self.is_draining = False
        self.shortage = ""

    async def page(self, path: str) -> Page | None:
        """What is at a path."""
        match path:
            case "/healthz":
                return Page(200, b"ok\n")
            case "/readyz":
                trouble = self._trouble()
                return Page(503, f"{trouble}\n".encode("ascii")) if trouble else Page(200, b"ok\n")
            case "/metrics":
                workers = await self._supervisor.reports(_SECONDS)
                return Page(200, exposition(self._telling.snapshot(workers, self._given)), CONTENT_TYPE)
            case "/policy":
                await self._supervisor.reports(_SECONDS)
                return Page(200, canonical(self._policy()), "application/json")
            case _:
                return None

    def _trouble(self) -> str:
        """Why no connections are to be sent here."""
        if self.is_draining:
            return "draining"
        if not self._given.is_valid:
            return "there is no identity that is valid"
        return "" if self._supervisor.is_serving else "no worker is serving"

    def _policy(self) -> dict[str, Json]:
        given, ends = self._given, self._given.ends
        return {
            "policy": {**_held(given.policy), **_revision(given.policy)},
            "identity": {**_held(given.identity), "ends": None if ends is None else _moment(ends)},
            "gaps": [*given.gaps, *([self.shortage] if self.shortage else [])],
            "keys": {"known": [*map(str, self._keys.known)], "troubles": {**self._keys.troubles}},
            "workers": [
                {"number": one.number, "pid": one.pid, "state": one.state.value, **one.report.fields}
                for one in self._supervisor.workers.values()
            ],
        }


def _held(holding: Holding) -> dict[str, Json]:
    refusal = holding.refusal
    return {
        "name": None if holding.taken is None else holding.taken.name,
        "taken_at": None if holding.taken_at is None else _text(holding.taken_at),
        "refused": None if refusal is None else {"at": _text(refusal.at), "why": refusal.why},
    }


def _revision(holding: Holding) -> dict[str, Json]:
    taken = holding.taken
    return {} if taken is None or taken.revision is None else {"revision": taken.revision}


def _moment(seconds: float) -> str:
    return _text(datetime.fromtimestamp(seconds, UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
