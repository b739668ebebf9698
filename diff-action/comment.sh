#!/usr/bin/env bash
# Puts REPORT on the pull request; where the token may not, says so and lets the job go on.
set -euo pipefail

# `python -m` looks into the working directory first, which is what the pull request holds.
cd "$RUNNER_TEMP"
url=$("$RUNNER_TEMP/tutor-kustomizer/bin/python" -m kustomizer.diff.comment github "$REPORT")
echo "comment-url=$url" >>"$GITHUB_OUTPUT"
