#!/bin/sh
# Builds sdist and wheel into dist/, installs the wheel and nothing but its own dependencies into a new environment,
# and works with it from a folder where none of the sources can be seen.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)

echo "wheel: building into dist/"
rm -rf dist
.venv/bin/python -m hatchling build -t sdist -t wheel >/dev/null
ls -l dist

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "wheel: installing it into an environment of its own"
.venv/bin/python -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/plain.lock
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index dist/*.whl
cp -R policies/examples/boutique "$work/boutique"
cd "$work"

place=$(venv/bin/python -P -c 'import meshproof; print(meshproof.__file__)')
case $place in
    "$root"/*) echo "wheel: meshproof was imported from the sources: $place" >&2; exit 1 ;;
esac

run() {
    echo "\$ $*"
    "venv/bin/$@"
}
run meshproof --version
run meshproof check boutique --at 2026-11-23
run meshproof compile boutique --at 2026-11-23 --env prod --target istio --out istio
test -n "$(ls istio)"
run meshproof explain MP301 >/dev/null
run meshproof explain MP113 >/dev/null
run meshproof init started
run meshproof check started --at 2026-11-23
run meshproof fmt --check started
run meshproof completion bash >/dev/null
run meshproof doctor
run python -P -m meshproof --version
echo "wheel: works"
