#!/usr/bin/env bash
# altair 6.3.0: `import altair` fails for a user id that /etc/passwd does not have, in an environment
# without HOME, as containers often are: the default of an unused folder for data sets is reckoned
# while the module is imported, also where XDG_CACHE_HOME is set.
# Expected: the import succeeds, and only who loads a data set needs a folder.
# Seen: RuntimeError: Could not determine home directory.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check altair==6.3.0
seen="$(env -i PATH="$PATH" XDG_CACHE_HOME="$folder" venv/bin/python - 2>&1 <<'PYTHON' || true
import os

os.getuid = lambda: 1_234_567_890
import altair
PYTHON
)"
echo "$seen" | tail -1
[ "$(echo "$seen" | tail -1)" = "RuntimeError: Could not determine home directory." ]
