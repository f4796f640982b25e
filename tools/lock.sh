#!/usr/bin/env bash
# Makes requirements/*.lock anew: every version with its hashes, for every Python from 3.11 on, and no index address.
# `tools/lock.sh` keeps what is locked where it can; `tools/lock.sh --upgrade` takes the newest that the ranges allow.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'uv>=0.9,<1'

lock() { # OUTPUT, then what is asked of uv
    local output=$1
    shift
    env -u PIP_FIND_LINKS -u UV_FIND_LINKS "$work/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-config \
        --custom-compile-command tools/lock.sh --output-file "requirements/$output" "$@"
}

# The larger sets are locked first and bind the smaller: so one environment can grow from one to the next.
lock oracles.lock pyproject.toml --extra runtime --extra fast --extra otel --extra dev --extra oracles "${@}"
lock dev.lock pyproject.toml --extra runtime --extra fast --extra dev --constraint requirements/oracles.lock
lock runtime.lock pyproject.toml --extra runtime --extra fast --constraint requirements/oracles.lock
lock build.lock requirements/build.in --constraint requirements/oracles.lock
lock plain.lock pyproject.toml --constraint requirements/oracles.lock
