#!/bin/sh
# Brings .venv to what one of the nested sets of packages asks for, from the lock with hashes:
#   plain    what a user installs, and what builds the package     (make wheel)
#   runtime  plain, and what runs beside a mesh                    (make demo)
#   dev      runtime, and tests, lint and types                    (make test, make lint)
#   oracles  dev, and the packages that tests compare with         (make test-all)
# Does nothing if the environment is up to date. A larger set serves wherever a smaller one is asked for.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
wanted=${1:?usage: tools/setup.sh plain|runtime|dev|oracles}
case $wanted in
    plain) sets="plain runtime dev oracles" locks="plain build" ;;
    runtime) sets="runtime dev oracles" locks="runtime build" ;;
    dev) sets="dev oracles" locks="dev" ;;
    oracles) sets="oracles" locks="oracles" ;;
    *) echo "tools/setup.sh: no such set: $wanted" >&2; exit 2 ;;
esac

# The first interpreter that is new enough and can make environments; a name on PATH may be an empty shim.
find_python() {
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
        if "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    echo 'error: no Python 3.11 or newer with `venv` and `ensurepip` on PATH (set PYTHON to one)' >&2
    return 1
}

# A set is up to date if what it is made from has not changed since, nor the place of this folder.
key_of() {
    { pwd; cat "requirements/$1.lock" requirements/build.lock pyproject.toml tools/setup.sh; } | cksum
}

if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    for set in $sets; do
        if [ "$(cat "$venv/.set-$set" 2>/dev/null)" = "$(key_of "$set")" ]; then
            exit 0
        fi
    done
else
    python=$(find_python)
    echo "setup: making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "setup: installing the set '$wanted' from requirements/ (versions and hashes are locked)"
rm -f "$venv"/.set-*
for lock in $locks; do
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$lock.lock"
done
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
key_of "$wanted" >"$venv/.set-$wanted"
