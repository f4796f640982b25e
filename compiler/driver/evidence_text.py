"""What evidence says of itself to whoever opens the folder."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.driver.evidence_inputs import Input
    from meshproof.compiler.driver.options import JudgeOptions
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.report.model import Report

_TEXT = """\
# Evidence

What Meshproof found out about the claims of a policy, and everything that is needed to find it out again.

| file | holds |
|---|---|
| `manifest.json` | every other file with its SHA-256 and size; the claims with status and queries; how it was done |
| `inputs/` | the files that were read, byte for byte |
| `model*.json` | what they mean, as canonical JSON, one for each environment |
| `queries/` | the questions that the verdicts rest on, in SMT-LIB, each with the answer that is expected |
| `report.json` | the report of the run, in the form `meshproof/report/v1` |

## Check it again

Nothing was changed, in this folder:

```sh
python3 - <<'END'
import hashlib, json, pathlib
files = json.load(open("manifest.json"))["files"]
found = {str(p) for p in pathlib.Path(".").rglob("*") if p.is_file()} - {"manifest.json"}
is_same = lambda f: hashlib.sha256(open(f, "rb").read()).hexdigest() == files[f]["sha256"]
print("missing:", sorted(set(files) - found), "added:", sorted(found - set(files)))
print("changed:", [f for f in sorted(found & set(files)) if not is_same(f)])
END
```

A solver of your choice answers each query as expected:

```sh
for f in queries/*.smt2; do echo "$f: expected $(sed -n 's/^; expected: //p' "$f"), found $(z3 "$f")"; done
```

or `cvc5 --strings-exp "$f"`. `unsat` says that no request breaks the claim there, or that nobody beyond those that were
counted gets through; `sat` that there is such a request. `unknown` confirms nothing.

The program comes to the same, from the inputs:

```sh
{again}
```

## What it says, and what it does not

- A claim is `satisfied` if it was proved, under the assumptions that `report.json` lists with it. Whatever was refuted,
  or is unknown, is `not-satisfied`, waived or not.
- Queries are over classes: values that no pattern of the policy tells apart are one value. The classes are this
  program's work. Files that end in `.strings.smt2` do without them, and ask over the strings themselves; they are there
  if the run was asked for a second opinion.
- A proof speaks of the configuration, as of {day}. That the mesh runs this configuration, and that its
  proxies cannot be bypassed (network policies, access to nodes, workloads outside of the mesh), is not shown here.
- It supports an assessment of a control; it is no penetration test, and replaces none.
"""


def readme(options: JudgeOptions, inputs: Sequence[Input], report: Report, policy: Policy) -> str:
    """The text, with the command that judges the inputs again."""
    again = " ".join(map(shlex.quote, _again(options, inputs, report, policy)))
    return _TEXT.replace("{again}", again).replace("{day}", options.day.isoformat())


def _again(options: JudgeOptions, inputs: Sequence[Input], report: Report, policy: Policy) -> Iterator[str]:
    yield from ("meshproof", "prove")
    is_all_named = all(one.is_named for one in inputs)
    yield from ("inputs",) if is_all_named else (one.file for one in inputs if one.is_named)
    yield from ("--at", options.day.isoformat())
    if len(report.environments) == 1:
        yield from ("--env", report.environments[0])
    for key, value in policy.settings:
        yield from ("--option", f"{key}={value}")
    for title in options.only:
        yield from ("--only", title)
    if options.audit_as_enforced:
        yield from ("--audit", "as-enforced")
    if options.is_strict:
        yield "--strict"
    yield from ("--timeout", f"{options.timeout_ms}ms", "--evidence", "again")
