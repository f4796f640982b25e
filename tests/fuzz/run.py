"""Coverage-guided fuzzing by atheris, which is among the oracles where there are wheels of it.

python -m tests.fuzz.run READER -max_total_time=60: a reader of `readers.py`, and then options of libFuzzer.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["meshproof.runtime", "meshproof.compiler.ir"]):
    from tests.fuzz.readers import READERS

from tests.fuzz.seeds import seeds


def main() -> None:
    """Run until the options say that it is enough. What a reader raises ends it, with the input in a file."""
    name = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds().get(name, ())):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], folder], READERS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
