#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment without dev tools, and uses it as a stranger would.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

uv=$PWD/.venv/bin/uv
lock=$PWD/requirements/dev.lock
tests=$PWD/scripts/smoke_wheel.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "building the source archive, and the wheel from it"
"$uv" build --quiet --python .venv/bin/python --out-dir "$work/dist" .
.venv/bin/python -m venv --without-pip "$work/venv"
echo "installing it, without dev tools"
"$uv" pip install --quiet --python "$work/venv/bin/python" --constraint "$lock" "$work"/dist/*.whl

mkdir "$work/cwd"
cd "$work/cwd"
env -u PYTHONPATH PATH="$work/venv/bin:/usr/bin:/bin" "$work/venv/bin/python" -I "$tests" "$work"/dist/*.whl
