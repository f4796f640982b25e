"""The policy that a command was called with, and how it is to be judged."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshproof.compiler.cli.session import STDIN
from meshproof.compiler.config.keys import Audit
from meshproof.compiler.driver.environments import not_chosen
from meshproof.compiler.driver.judge import unjudged
from meshproof.compiler.driver.options import JudgeOptions, Part
from meshproof.compiler.driver.pods import MeshOfPods
from meshproof.compiler.driver.policy import Policy, Reading, read_policy
from meshproof.compiler.smt.policy import enforced
from meshproof.dsl.loader import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.cli.session import Session
    from meshproof.compiler.ir.mesh import Mesh


def policy_at(session: Session, paths: Sequence[str]) -> Policy:
    """The policy at the paths, in the environment of the settings, or in all. What is wrong is in its diagnostics.

    Raises:
        click.UsageError: stdin is named twice.
    """
    if list(paths).count(STDIN) > 1:
        raise click.UsageError("stdin, `-`, can be read once")
    stdin = stdin_of(session) if STDIN in paths else None
    return read_policy([Path(path) for path in paths if path != STDIN], reading_of(session), stdin=stdin)


def reading_of(session: Session) -> Reading:
    """How paths are read, as the settings ask for."""
    settings = session.settings
    return Reading(
        environment=settings.env,
        limits=Limits(settings.max_file_bytes, settings.max_policy_bytes),
        origin=settings.origin,
        settings=settings.option,
    )


def one_environment(session: Session, policy: Policy) -> Policy:
    """The policy if it is about one environment, else one that says what is wrong."""
    is_open = policy.is_judgeable and policy.environments and session.settings.env is None
    return not_chosen(policy) if is_open else policy


def mesh_to_ask(session: Session, policy: Policy) -> Mesh:
    """The mesh of the one environment that a command asks about, for commands that answer on stdout.

    Raises:
        click.exceptions.Exit: there is none, or none was chosen; that has been reported on stderr.
    """
    one = one_environment(session, policy)
    if not one.is_judgeable:
        session.refuse(unjudged(one, judge_options(session), session.command))
    return prepared(session, one.meshes[0])


def prepared(session: Session, mesh: Mesh) -> Mesh:
    """The mesh as the settings want it judged."""
    return enforced(mesh) if session.settings.audit is Audit.AS_ENFORCED else mesh


def meshes_to_ask(session: Session, policy: Policy) -> MeshOfPods:
    """The mesh of the one environment, for each request; raises as `mesh_to_ask` does."""
    return MeshOfPods(policy, mesh_to_ask(session, policy), partial(prepared, session))


def judge_options(
    session: Session,
    *,
    parts: frozenset[Part] = frozenset(Part),
    only: tuple[str, ...] = (),
    has_coverage: bool = False,
    is_cross_checked: bool = False,
    is_recorded: bool = False,
) -> JudgeOptions:
    """The options that the settings ask for."""
    settings = session.settings
    return JudgeOptions(
        day=session.day,
        parts=parts,
        is_fast=settings.fast,
        is_strict=settings.strict,
        audit_as_enforced=settings.audit is Audit.AS_ENFORCED,
        timeout_ms=max(1, round(settings.timeout * 1000)),
        jobs=settings.jobs,
        only=only,
        select=settings.select,
        ignore=settings.ignore,
        has_coverage=has_coverage,
        is_cross_checked=is_cross_checked,
        is_recorded=is_recorded,
    )


def stdin_of(session: Session) -> str:
    """What stands on stdin, one byte more than may be read at the most: the loader refuses that."""
    data = sys.stdin.buffer.read(session.settings.max_file_bytes + 1)
    return data.decode("utf-8", "surrogateescape")
