"""What the parent tells of itself: lines of the journal, and metrics beside those of the workers."""

from __future__ import annotations

from importlib.metadata import version

from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.material.given import Given
from meshproof.runtime.net.material.holding import Taken
from meshproof.runtime.net.process.worker import Worker
from meshproof.runtime.telemetry.metrics import catalogue
from meshproof.runtime.telemetry.metrics.registry import Registry
from meshproof.runtime.telemetry.metrics.snapshot import Snapshot, SnapshotError, Totals, load


class Telling:
    """Each refusal is counted and told once a reason, and each time that somebody asks for a reload."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._registry = Registry()
        self._totals = Totals()
        for result in ("taken", "refused"):
            self._registry.number(catalogue.CONFIG_RELOADS, result)
        self._registry.number(catalogue.BUILD_INFO, version("meshproof")).value = 1

    def taken(self, what: str, taken: Taken) -> None:
        """A new policy, or identity, holds."""
        self._registry.number(catalogue.CONFIG_RELOADS, "taken").value += 1
        revision = {} if taken.revision is None else {"revision": taken.revision}
        self.journal.tell("reloaded", what=what, name=taken.name, **revision)

    def refused(self, what: str, why: str) -> None:
        """A new one is refused."""
        self._registry.number(catalogue.CONFIG_RELOADS, "refused").value += 1
        self.journal.tell("reload-refused", what=what, why=why)

    def gap(self, gap: str) -> None:
        """The policy says something that the settings do not make possible."""
        self.journal.tell("gap", what=gap)

    def over(self, name: str) -> None:
        """The own identity is over."""
        self.journal.tell("identity-over", name=name)

    def exited(self, worker: Worker, how: str) -> None:
        """A worker has ended; what it counted up to its last report stays."""
        self._report(worker)
        self._totals.ended(worker.number)
        self._registry.number(catalogue.WORKER_EXITS, how).value += 1

    def snapshot(self, workers: tuple[Worker, ...], given: Given) -> Snapshot:
        """All metrics: those of the workers as they told last, and our own."""
        for worker in workers:
            if not worker.has_ended:  # else it counts already, as one that is gone
                self._report(worker)
        self._registry.forget(catalogue.POLICY_INFO)
        self._registry.forget(catalogue.POLICY_TAKEN)
        self._registry.forget(catalogue.CERTIFICATE_EXPIRY)
        policy = given.policy
        if policy.taken is not None and policy.taken_at is not None:
            self._registry.number(catalogue.POLICY_INFO, policy.taken.name).value = 1
            self._registry.number(catalogue.POLICY_TAKEN, policy.taken.name).value = policy.taken_at.timestamp()
        if given.identity.taken is not None and given.ends is not None:
            self._registry.number(catalogue.CERTIFICATE_EXPIRY, given.identity.taken.name).value = given.ends
        return self._totals.snapshot(self._registry.snapshot())

    def _report(self, worker: Worker) -> None:
        text = worker.report.blobs[0]
        if not text:
            return
        try:
            self._totals.told(worker.number, load(text))
        except SnapshotError as error:
            self.journal.tell("report-refused", worker=worker.number, why=str(error))
