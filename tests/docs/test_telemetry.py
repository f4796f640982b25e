"""What docs/operations/telemetry.md says is what is exported, logged and taken."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path

from tests.strategies.telling import WALL, Kept, connection, record, sink

from meshproof.runtime.cli.verify_log import VERIFY_LOG
from meshproof.runtime.core.messages import Failure
from meshproof.runtime.settings_run_file import parse_run_settings
from meshproof.runtime.telemetry import chained_file
from meshproof.runtime.telemetry.access_log import HIDEABLE
from meshproof.runtime.telemetry.chain import Chain, Link, read
from meshproof.runtime.telemetry.decisions import MASKABLE, DecisionLines, DecisionLogSettings
from meshproof.runtime.telemetry.emf import EmfLines
from meshproof.runtime.telemetry.metrics.catalogue import CATALOGUE, TCP_LABELS
from meshproof.runtime.telemetry.sink import Outputs

PAGE = (Path(__file__).parents[2] / "docs/operations/telemetry.md").read_text(encoding="utf-8")
_RUNTIME = Path(__file__).parents[2] / "runtime"
_WAYS = sorted((*_RUNTIME.glob("core/traffic/*.py"), *_RUNTIME.glob("net/outbound*.py")))
_PROSE = " ".join(PAGE.split())
_SETTINGS = """
service = "catalog"
policy = { bundle = "policy.json" }
identity = { folder = "/run/spiffe" }
inbound = [{ port = 8080, listen = "10.0.0.1:15080", application = "127.0.0.1:8080" }]
"""


def _fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_table_of_metrics_is_the_catalogue() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(metric.name, metric.kind.value, metric.help) for metric in CATALOGUE]


def test_the_tables_of_labels_are_the_catalogue() -> None:
    rows = re.findall(r"^\| `(meshproof_\w+)` \| (`.*`) \|$", PAGE, re.MULTILINE)
    own = [metric for metric in CATALOGUE if metric.name.startswith("meshproof_") and metric.labels]
    assert [(name, tuple(_names(labels))) for name, labels in rows] == [(one.name, one.labels) for one in own]
    said = re.search(r"Labels of Istio's metrics: (.*?); those of requests also (.*?)\. ", _PROSE)
    assert said is not None
    assert tuple(_names(said[1])) == TCP_LABELS
    of_requests = {metric.labels for metric in CATALOGUE if metric.name.startswith("istio_request")}
    assert of_requests == {(*TCP_LABELS, *_names(said[2]))}


def test_the_words_for_what_happens_on_the_way_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| [A-Z].*\. \|$", PAGE, re.MULTILINE)
    code = "".join(path.read_text(encoding="utf-8") for path in _WAYS)
    written = re.findall(r"""[.]tell\("([^"]+)"\)""", code)
    assert rows
    assert len(rows) == len(set(rows))
    assert set(rows) == {*Failure, *written} - {Failure.CANCELLED}


def test_what_may_be_hidden_and_masked_is_named() -> None:
    for key, known in (("access_log_hidden", HIDEABLE), ("decision_log_masked", MASKABLE)):
        said = re.search(rf"`{key}` takes (.*?)\. ", _PROSE)
        assert said is not None
        assert tuple(_names(said[1])) == known


def test_the_settings_are_taken_and_are_all() -> None:
    settings = parse_run_settings((_SETTINGS + _fences("toml")[0]).encode(), Path("/etc/run.toml")).telemetry
    assert [name for name in settings.__slots__ if not getattr(settings, name)] == []


def test_the_line_of_the_decision_log_is_what_is_written() -> None:
    [text] = _fences("json")
    log = Kept()
    lines = DecisionLines(DecisionLogSettings((b"x-team",), ("source_ip",)))
    told = sink(Outputs(decisions=log, decision_lines=lines))
    told.request(record(connection(), (b"x-team", b"pay"), audited=("no-legacy",)))
    [(line, _)] = Chain(Link()).sealed(log.kept)
    assert text.encode() == line
    assert read(line[:-1], None) is not None
    assert json.loads(line)["erased"] == ["source_ip"]


def test_the_bounds_of_the_log_are_those_of_the_code() -> None:
    said = re.search(r"a part of (\d+) MiB .* the newest (\d+) are kept", _PROSE)
    assert said is not None
    assert (int(said[1]) << 20, int(said[2])) == (chained_file.MOST_BYTES, chained_file.KEEPS)


def test_the_commands_are_taken() -> None:
    commands = re.findall(r"^meshproof-proxy (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    parser = argparse.ArgumentParser(exit_on_error=False)
    VERIFY_LOG.options(parser)
    for command in commands:
        name, *arguments = shlex.split(command.partition(" >")[0])
        assert name == VERIFY_LOG.name
        assert parser.parse_args(arguments).log == Path("/var/log/meshproof/decisions.jsonl")


def test_what_cloudwatch_gets_of_the_process_is_named() -> None:
    told = sink()
    told.certificate("spiffe://x/y", WALL)
    [line] = EmfLines("a", "b").lines(told.snapshot(), WALL)
    said = re.search(r"and of the process (.*?)\. ", _PROSE)
    assert said is not None
    named = {metric["Name"] for metric in json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert set(_names(said[1])) == named


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    folder = Path(__file__).parents[2] / "docs/operations"
    assert links
    assert [link for link in links if not (folder / link).exists()] == []
