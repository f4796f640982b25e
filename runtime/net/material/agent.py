"""An identity from an agent: what it gives is taken as what files hold is."""

from __future__ import annotations

from meshproof.runtime.net.material.given import Given
from meshproof.runtime.settings_run import WorkloadApi


async def follow(settings: WorkloadApi, given: Given) -> None:
    """Take what the agent gives, as it renews it, until cancelled; what is not good is told, and changes nothing."""
    # grpcio is loaded only by those who ask an agent
    from meshproof.runtime.identity.workload_api.agent import Agent  # noqa: PLC0415
    from meshproof.runtime.identity.workload_api.answers import credentials_of  # noqa: PLC0415

    def take(answer: bytes) -> None:
        given.take_credentials(credentials_of(answer, given.identities))

    await Agent(settings.socket, take, given.refuse_identity).run()
