"""What systemd is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from meshproof.runtime.net.process.readiness import Readiness


def _told(address: str, name: str) -> list[str]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        readiness = Readiness({"NOTIFY_SOCKET": name})
        readiness.ready()
        readiness.reloading()
        readiness.stopping()
        return [systemd.recv(200).decode("ascii") for _ in range(3)]


def test_it_is_told_over_the_socket_that_it_names(tmp_path: Path) -> None:
    ready, reloading, stopping = _told(str(tmp_path / "notify"), str(tmp_path / "notify"))
    assert (ready, stopping) == ("READY=1", "STOPPING=1")
    state, _, moment = reloading.partition("\nMONOTONIC_USEC=")
    assert state == "RELOADING=1"
    assert moment.isdigit()


def test_an_abstract_name_begins_with_an_at_sign(tmp_path: Path) -> None:
    assert _told(f"\0{tmp_path}", f"@{tmp_path}")[0] == "READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_nobody_who_listens_is_no_fault(environment: dict[str, str]) -> None:
    readiness = Readiness(environment)
    assert [readiness.ready(), readiness.stopping()] == [None, None]  # type: ignore[func-returns-value]
