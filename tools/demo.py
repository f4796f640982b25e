"""`make demo`: the policy of an eleven-service shop, checked and proved, compiled to Istio, then broken on purpose.

Then three of its services stand behind sidecars that keep it without a mesh, and App Mesh is asked what it would keep.

Every step runs the installed command and says what it must show; the demo fails at the first that does not.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import z3
from tools.demo_calls import Asked, Row, as_table, as_text, of_tests
from tools.demo_sidecars import CHARGE, STARTED, three_sidecars

ROOT = Path(__file__).resolve().parent.parent
MESHPROOF = Path(sys.executable).parent / "meshproof"
SHOP = Path("policies/examples/boutique")
OUT = Path("build/demo/istio")
NATIVE = Path("build/demo/native")
NATIVE_DEV = Path("build/demo/native-dev")
APP_MESH = Path("build/demo/app-mesh")
AS_OF = ("--at", "2026-11-23")  # the day that the example is written for: the output is the same on every day
INTRUDER = 'allow intruder: anyone -> paymentservice { because "x" }'


class BrokenPromiseError(Exception):
    """A step did not show what it promises."""


def main() -> int:
    """Run the steps; 0 if each kept its promise, 1 otherwise."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="meshproof-demo-") as folder:
            report = check_and_prove(Path(folder))
            compile_to_istio()
            witness = refuse_the_intruder(Path(folder) / "boutique")
            say_what_it_opens(Path(folder) / "boutique")
            let_in, kept_out = replay(witness, Path(folder) / "boutique")
            notice_the_edit(Path(folder) / "running")
            hand_over_the_proofs(Path(folder) / "evidence")
            enforce_without_a_mesh(Path(folder) / "prod", report, kept_out)
            enforce_elsewhere(Path(folder), report, let_in)
            compile_to_app_mesh(Path(folder) / "app-mesh.json")
    except (BrokenPromiseError, RuntimeError, OSError, subprocess.CalledProcessError) as broken:
        print(f"\nThe demo failed: {broken}", file=sys.stderr)
        return 1
    print(f"\nAll nine steps did what they promise, in {time.monotonic() - started:.1f} s.")
    return 0


def check_and_prove(folder: Path) -> dict[str, object]:
    """The shop as it is: nothing to find, every claim proved; the report has what becomes of the requests of tests."""
    heading("1. The policy of Online Boutique: eleven services, who may call whom, and what must hold whatever happens")
    for path in sorted((ROOT / SHOP).glob("*.mesh")):
        lines = path.read_text(encoding="utf-8").splitlines()
        print(f"   {SHOP / path.name}: {len(lines)} lines")
    print()
    report = folder / "shop.json"
    run("check", SHOP, *AS_OF, "--output", "human", "--output", f"json={report}", expect=0)
    return dict(json.loads(report.read_text(encoding="utf-8")))


def compile_to_istio() -> None:
    """The same policy as files for Istio."""
    heading("2. Compiled to Istio")
    shutil.rmtree(ROOT / OUT, ignore_errors=True)
    run("compile", SHOP, *AS_OF, "--env", "prod", "--target", "istio", "--out", OUT, expect=0)
    files = sorted(path for path in (ROOT / OUT).rglob("*") if path.is_file())
    for path in files:
        print(f"   {path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    require(any(path.suffix == ".yaml" for path in files), "compiling wrote no YAML")


def refuse_the_intruder(broken: Path) -> list[dict[str, object]]:
    """A pull request that opens the payment service; returns the requests that refute a claim."""
    heading("3. A pull request adds one rule, and is refused with the very request that would get through")
    shutil.copytree(ROOT / SHOP, broken)
    rules = broken / "rules.mesh"
    rules.write_text(f"{rules.read_text(encoding='utf-8')}\n{INTRUDER}\n", encoding="utf-8")
    print(f"   {rules.name}: + {INTRUDER}\n")
    report = broken.parent / "report.json"
    run("check", broken, *AS_OF, "--output", "human", "--output", f"json={report}", expect=1)
    claims = json.loads(report.read_text(encoding="utf-8"))["claims"]
    refuted = [claim for claim in claims if claim["verdict"] == "refuted"]
    require(bool(refuted), "no claim was refuted")
    require(all(claim["witness"] for claim in refuted), "a refuted claim has no witness")
    to_payment: list[list[dict[str, object]]] = [
        claim["witness"] for claim in refuted if claim["witness"][-1]["destination"].get("service") == "paymentservice"
    ]
    require(bool(to_payment), "no witness ends at the payment service")
    return min(to_payment, key=len)


def say_what_it_opens(broken: Path) -> None:
    """The same pull request as a difference in meaning: who may newly call what."""
    heading("4. What exactly does it open? The difference between the two policies, complete by proof")
    printed = run("diff", SHOP, broken, *AS_OF, "--env", "prod", "--fail-on", "allowed", expect=1)
    require("intruder" in printed, "the difference does not name the rule to blame")


def notice_the_edit(running: Path) -> None:
    """Somebody edits an object in the cluster: what runs is no longer what the policy says."""
    heading("6. Somebody edits one path in the running mesh, and `meshproof drift` says what that lets through")
    shutil.copytree(ROOT / OUT, running)
    edited = running / "manifests/onlineboutique/authorization-policy.yaml"
    text = edited.read_text(encoding="utf-8")
    require(CHARGE in text, "the files do not name the call")
    edited.write_text(text.replace(CHARGE, CHARGE.removesuffix("Charge") + "*"), encoding="utf-8")
    print(f"   {edited.name}: {CHARGE} becomes {CHARGE.removesuffix('Charge')}*\n")
    printed = run("drift", SHOP, *AS_OF, "--env", "prod", "--live", running, expect=1)
    require("Newly allowed" in printed, "the drift does not say what is newly allowed")


def hand_over_the_proofs(evidence: Path) -> None:
    """What an auditor gets: the questions behind the verdicts, asked again of the bare solver, without Meshproof."""
    heading("7. The proofs for an auditor: each question as a file, asked again of the solver alone")
    run("prove", SHOP, *AS_OF, "--quiet", "--evidence", evidence, expect=0)
    queries = sorted((evidence / "queries").glob("*.smt2"))
    answers = Counter(answered_as_expected(path) for path in queries)
    print(f"   {len(queries)} questions: {answers[True]} answered by z3 as expected, {answers[False]} otherwise")
    require(bool(queries) and not answers[False], "a question is not answered as the evidence says")


def enforce_without_a_mesh(folder: Path, report: Mapping[str, object], kept_out: Asked) -> None:
    """Sidecars keep the same policy: what was proved of a request is what becomes of it."""
    heading("8. Without a mesh: three services behind sidecars of our own, with mutual TLS, on loopback")
    compile_to_native(SHOP, NATIVE, "prod")
    with three_sidecars(ROOT / NATIVE / "policy.json", folder) as shop:
        ordered = shop.order()
        rows = shop.ask((*of_tests(report, "prod", STARTED), kept_out))
        counted = shop.payment.metrics("meshproof_decisions_total")
    show("the policy in prod", rows)
    print(f"   An order of the frontend, for which the checkout charges a card: {ordered}")
    require(ordered == "OK", f"the order ended with {ordered}")
    print("\n   What the sidecar of the payment service logs and counts:")
    logged = [line for line in shop.payment.lines() if "path" in line]
    for line in logged:
        print(f"   {json.dumps({key: line[key] for key in ('peer', 'path', 'decision', 'rule')})}")
    print("".join(f"   {line}\n" for line in counted))
    said = [row.asked.said for row in rows if row.asked.destination == "paymentservice"]
    decisions = ["allow", *(one.split()[0] for one in said if one != "deny at transport")]  # the first is the order's
    require([line["decision"] for line in logged] == decisions, "the access log does not say what was proved")


def enforce_elsewhere(folder: Path, report: Mapping[str, object], let_in: Asked) -> None:
    """What production does not have: the tests of another environment, and the pull request that was refused."""
    compile_to_native(SHOP, NATIVE_DEV, "dev")
    production = {one.text for one in of_tests(report, "prod", STARTED)}
    with three_sidecars(ROOT / NATIVE_DEV / "policy.json", folder / "dev") as shop:
        rows = shop.ask(one for one in of_tests(report, "dev", STARTED) if one.text not in production)
    show("the policy in dev: what is not tested in prod", rows)
    print("The pull request of step 3 once more, without the claims and tests that hold it up:\n")
    broken = folder / "boutique"
    for name in ("proofs.mesh", "tests.mesh"):
        (broken / name).unlink()
    compile_to_native(broken, folder / "native", "prod")
    with three_sidecars(folder / "native" / "policy.json", folder / "broken") as shop:
        show("the policy of the pull request", shop.ask([let_in]))


def compile_to_app_mesh(report: Path) -> None:
    """What a mesh without authorization can be made to keep, and what it cannot."""
    heading("9. For AWS App Mesh, which has ended: what its servers cannot keep stops the compile, or is listed")
    shutil.rmtree(ROOT / APP_MESH, ignore_errors=True)
    wanted = ("compile", SHOP, *AS_OF, "--env", "prod", "--target", "app-mesh", "--out", APP_MESH, "--quiet")
    printed = run(*wanted, "--require", "enforced", expect=1)
    require("MP701" in printed and not (ROOT / APP_MESH).exists(), "what callers alone keep did not stop the compile")
    print()
    run(*wanted, "--require", "cooperative", "--output", f"json={report}", expect=0)
    compiled = json.loads(report.read_text(encoding="utf-8"))["compiled"]
    print("\n   What it does not enforce, or does otherwise (with names in meshproof/residuals.json there):")
    for one in compiled["residuals"]:
        print(f"   {one['code']:3}  {one['text']}")
    verdicts = {one["judgement"]: one["verdict"] for one in compiled["judgements"]}
    require(set(verdicts) == {"enforced", "cooperative"}, "the report does not tell the two verdicts apart")
    require(bool(compiled["residuals"]), "nothing is said of what App Mesh does not enforce")


def compile_to_native(policy: Path, out: Path, environment: str) -> None:
    """What sidecars read, anew."""
    shutil.rmtree(ROOT / out, ignore_errors=True)
    run("compile", policy, *AS_OF, "--env", environment, "--target", "native", "--out", out, "--quiet", expect=0)


def show(where: str, rows: Sequence[Row]) -> None:
    """The table of what was said and done, which must be the same."""
    print(f"\n$ meshproof-proxy run --config run.toml    # three times: {where}", flush=True)
    print(as_table(rows, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ), flush=True)
    require(bool(rows), "no request was sent")
    wrong = [row.asked.text for row in rows if not row.agrees]
    require(not wrong, f"the sidecars do something else than was said of {', '.join(wrong)}")


def answered_as_expected(query: Path) -> bool:
    """Whether the solver, from the text alone, comes to the answer that stands in it."""
    solver = z3.Solver()
    solver.from_file(str(query))
    return f"; expected: {solver.check()}" in query.read_text(encoding="utf-8").splitlines()


def replay(witness: list[dict[str, object]], broken: Path) -> tuple[Asked, Asked]:
    """The witness is a request: the broken policy lets it through, by the new rule; the sound one refuses it.

    Its last request, with what is said of it by the one and by the other.
    """
    heading("5. That request, decided by `meshproof eval`: let in by the new policy, refused by the old one")
    lines = "".join(json.dumps(request) + "\n" for request in witness)
    print(lines, end="")
    said = []
    for policy, wanted in ((broken, "allow"), (SHOP, "deny")):
        printed = run("eval", policy, *AS_OF, "--env", "prod", "--requests", "-", expect=0, text=lines)
        decisions = [json.loads(line) for line in printed.splitlines()]
        require(
            len(decisions) == len(witness) and decisions[-1]["decision"] == wanted,
            f"the decision is not `{wanted}`",
        )
        if wanted == "allow":
            require("intruder" in {decisions[-1]["by"], *decisions[-1]["also"]}, "the decision is not by `intruder`")
        last = decisions[-1]
        said.append(f"{wanted} by {last['by']}" if wanted == "allow" else f"{wanted} at {last['reason']}")
    request = f"counterexample of step 3: {as_text(witness[-1])}"
    return Asked(request, said[0], witness[-1]), Asked(request, said[1], witness[-1])


def run(*arguments: str | Path, expect: int, text: str = "") -> str:
    """Run `meshproof` at the root, show the command and what it says, and hold it to its exit status."""
    print(f"$ meshproof {shlex.join(str(argument) for argument in arguments)}", flush=True)
    done = subprocess.run([MESHPROOF, *arguments], cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    print(f"[exit status {done.returncode}]", flush=True)
    require(done.returncode == expect, f"`meshproof {arguments[0]}` ended with {done.returncode}, not {expect}")
    return done.stdout


def heading(text: str) -> None:
    """Announce a step."""
    print(f"\n{text}\n", flush=True)


def require(holds: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Stop the demo unless `holds`."""
    if not holds:
        raise BrokenPromiseError(complaint)


if __name__ == "__main__":
    sys.exit(main())
