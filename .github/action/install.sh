#!/usr/bin/env bash
# Installs the gitopsreg that this action came with, in an environment of its own, and puts it on the PATH.
set -euo pipefail

python="${GR_PYTHON:-python3}"
home="$RUNNER_TEMP/gitopsreg"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "::error::gitopsreg needs Python 3.11 or newer: use actions/setup-python before this action"
  exit 2
fi

"$python" -m venv "$home"
# The versions that were tested; also for what is needed to build only.
sed -n 's/ *\\$//; /^[0-9A-Za-z]/p' "$GITHUB_ACTION_PATH/deploy/constraints.txt" > "$home/pins.txt"
PIP_CONSTRAINT="$home/pins.txt" "$home/bin/pip" install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH"
mkdir "$home/path"
ln -s "$home/bin/gitopsreg" "$home/path/gitopsreg"
echo "$home/path" >> "$GITHUB_PATH"
