#!/usr/bin/env bash
# Installs the tutor-kustomizer that this action came with, where it disturbs no other Python.
set -euo pipefail

home=$RUNNER_TEMP/tutor-kustomizer
python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH/.."
# The next steps, and what kustomize runs, find the function there.
echo "$home/bin" >>"$GITHUB_PATH"
