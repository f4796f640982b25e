"""What every test may count on: sample sizes, one seed for all that is drawn, golden files and the corpus."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

SEED = 20261125

# How much the property tests draw, by MESHPROOF_SAMPLES. Time is never a reason to fail: machines differ.
for _name, _examples in (("ci", 100), ("full", 2000)):
    hypothesis.settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        database=None if os.environ.get("CI") else hypothesis.settings().database,
        print_blob=True,
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what golden tests compute instead of comparing it; read the difference before you commit it",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    samples = os.environ.get("MESHPROOF_SAMPLES", "ci")
    if samples not in ("ci", "full"):
        message = f"MESHPROOF_SAMPLES is ci or full, not {samples!r}"
        raise pytest.UsageError(message)
    hypothesis.settings.load_profile(samples)
    # One number reproduces a run, order and examples alike. It is the same one until somebody asks for another.
    if config.getoption("randomly_seed", "default") == "default":
        config.option.randomly_seed = SEED
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = str(config.option.randomly_seed)


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.getoption("hypothesis_seed", None)
    samples = os.environ.get("MESHPROOF_SAMPLES", "ci")
    return f"meshproof: samples {samples}, seed {seed} (others: `--randomly-seed=N`)"


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the work tree."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of third-party files to try things on, which is not part of this project."""
    place = os.environ.get("MESHPROOF_CORPUS", "")
    if not place:
        pytest.skip("MESHPROOF_CORPUS is not set")
    path = Path(place)
    if not path.is_dir():
        pytest.fail(f"MESHPROOF_CORPUS is no folder: {place}")
    return path
