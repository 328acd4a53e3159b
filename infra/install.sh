#!/usr/bin/env bash
# install.sh PYTHON: make .venv and install the locked dependencies, every file checked by its hash.
# torch comes first: its small CPU build where pip can find one, else the index's build with its CUDA libraries.
set -euo pipefail
python=$1

for candidate in "$python" python3.11 python3.12 python3.13; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        found=$candidate
        break
    fi
done
if [ -z "${found:-}" ]; then
    echo "Recloop needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make install PYTHON=/path/to/python3.11" >&2
    exit 2
fi

[ -x .venv/bin/python ] || "$found" -m venv .venv
pip() { .venv/bin/pip "$1" --quiet --disable-pip-version-check --require-hashes "${@:2}"; }
echo "Installing the locked dependencies into .venv (about two minutes) ..." >&2
pip install --no-deps -r requirements-torch-cpu.lock 2>/dev/null \
    || pip install -r requirements-torch.lock -r requirements.lock
pip install -r requirements.lock
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
