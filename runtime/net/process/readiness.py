"""What systemd is told of a service of `Type=notify`: sd_notify(3), over the socket that it names."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Readiness:
    """Tells nobody where no socket is named, and goes on where nobody listens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name

    def ready(self) -> None:
        """It has started, or has ended a reload."""
        self._say("READY=1")

    def reloading(self) -> None:
        """It takes new settings; `ready` follows."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """It ends."""
        self._say("STOPPING=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.setblocking(False)  # noqa: FBT003  the way of `socket`
            try:
                one.sendto(text.encode("ascii"), self._address)
            except OSError:
                return
