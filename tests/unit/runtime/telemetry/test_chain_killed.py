"""A process that is killed in the midst of its lines leaves a chain that the next one continues."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from meshproof.runtime.telemetry.chained_file import ChainedFile
from meshproof.runtime.telemetry.verify_log import Whole, verify

WRITER = """
import sys, time
from pathlib import Path
from meshproof.runtime.telemetry.chained_file import ChainedFile
file = ChainedFile(Path(sys.argv[1]), time.monotonic)
while True:
    file.write([f'{{"n":{number},"text":"{"x" * 4000}"' for number in range(50)])
    print(file.last.number, flush=True)
"""


def test_a_kill_leaves_what_was_on_record_and_what_was_torn_is_told(tmp_path: Path) -> None:
    path = tmp_path / "d.log"
    on_record = 0
    for count in range(1, 4):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(5 * count):
                on_record = int(process.stdout.readline())
            process.kill()
        file = ChainedFile(path, float)
        assert file.last.number >= on_record
        assert file.write(['{"n":1']) == 1
        file.close()
        found = verify([("d.log", io.BytesIO(path.read_bytes()))])
        assert isinstance(found, Whole)
        assert (found.last, found.first.number, found.is_closed) == (file.last, 0, True)
        assert (found.recovered <= count, found.lost) == (True, ())
