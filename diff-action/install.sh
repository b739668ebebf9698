#!/usr/bin/env bash
# Installs the tutor-kustomizer that this action came with, where it disturbs no other Python.
set -euo pipefail

home=$RUNNER_TEMP/tutor-kustomizer
# -I: `python -m` looks into the working directory first, which is what the pull request holds.
python3 -I -m venv --clear "$home"
"$home/bin/python" -I -m pip install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH/.."
# The next steps, and what kustomize runs, find the function there.
echo "$home/bin" >>"$GITHUB_PATH"
