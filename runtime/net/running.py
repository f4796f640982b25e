"""A service from its start to its last signal."""

from __future__ import annotations

import asyncio
import signal

from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.service import Service
from meshproof.runtime.settings import AuthzSettings


async def serve(settings: AuthzSettings, journal: Journal) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads. Raises `StartError` if it cannot start."""
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    service = Service(settings, journal)
    reloads: set[asyncio.Task[bool]] = set()

    def reload() -> None:
        task = loop.create_task(service.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    await service.start()
    await ending.wait()
    await service.drain()
