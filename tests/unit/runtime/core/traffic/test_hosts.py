from __future__ import annotations

import pytest
from tests.unit.runtime.core.traffic.connections import Pooled
from tests.unit.runtime.core.traffic.scenes import Caller, head

from meshproof.runtime.core.messages import Failure
from meshproof.runtime.core.traffic.hosts import MOST_HOSTS, HostPools
from meshproof.runtime.core.traffic.pool import Pool


class Hosts:
    def __init__(self, *hosts: str) -> None:
        self.pooled = Pooled()
        self.made: list[str] = []
        self.pools = HostPools(hosts, self._make, self.pooled.clock)

    def _make(self, host: str) -> Pool:
        self.made.append(host)
        return Pooled(breaker=self.pooled.breaker).pool

    def ask(self, authority: str) -> Caller:
        caller, of = Caller(), head()
        of.authority = authority
        self.pools.open(of, caller)
        return caller


def test_each_host_has_connections_of_its_own_however_it_is_written() -> None:
    hosts = Hosts("bank.example", "*.bank.example")
    for authority in ("bank.example", "BANK.example:443", "bank.example.", "a.bank.example", "a.b.bank.example"):
        hosts.ask(authority)
    assert hosts.made == ["bank.example", "a.bank.example", "a.b.bank.example"]
    assert len(hosts.pools.pools) == 3


@pytest.mark.parametrize("authority", ["evil.example", "xbank.example", "bank.example.evil", "", "[::1]:443", "*"])
def test_nothing_is_sent_to_a_host_that_is_not_one_of_them(authority: str) -> None:
    hosts = Hosts("bank.example", "*.bank.example")
    caller = hosts.ask(authority)
    assert caller.heard == []
    hosts.pooled.clock.pass_by(0)
    assert (caller.heard, hosts.made) == ([Failure.CONNECT], [])


def test_whoever_does_not_wait_any_more_hears_nothing() -> None:
    hosts = Hosts("bank.example")
    caller, of = Caller(), head()
    of.authority = "evil.example"
    stream = hosts.pools.open(of, caller)
    stream.data(b"x", is_end=True)
    stream.reset(Failure.CANCELLED)
    hosts.pooled.clock.pass_by(0)
    assert caller.heard == []


def test_no_more_hosts_are_known_at_a_time_than_a_bound() -> None:
    hosts = Hosts("*.bank.example")
    for number in range(MOST_HOSTS):
        hosts.ask(f"h{number}.bank.example")
    caller = hosts.ask("one-more.bank.example")
    hosts.pooled.clock.pass_by(0)
    assert (caller.heard, len(hosts.made)) == ([Failure.CONNECT], MOST_HOSTS)
    hosts.ask("h0.bank.example")
    assert len(hosts.made) == MOST_HOSTS
