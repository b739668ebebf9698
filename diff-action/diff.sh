#!/usr/bin/env bash
# Compares OVERLAY with itself at BASE; writes the reports, the job's summary and outputs, and annotates the run.
set -euo pipefail

fail() {
    echo "::error title=tutor-kustomizer diff::$1"
    exit 1
}

if [ -z "$BASE" ]; then
    fail "This run is for no pull request: name a revision with the input 'base'"
fi
case $BASE in
-*) fail "The revision to compare with begins with a dash" ;;
esac

# A checkout has one commit unless it is asked for more.
if ! revision=$(git rev-parse --verify --quiet --end-of-options "$BASE^{commit}"); then
    git fetch --quiet --no-tags --depth=1 origin "$BASE" || fail "The revision to compare with can't be fetched"
    revision=$(git rev-parse --verify FETCH_HEAD)
fi

out=$(mktemp -d "$RUNNER_TEMP/tutor-kustomizer-diff.XXXXXX")
arguments=(
    "--base=$revision"
    "--key=$KEY"
    --output=github
    "--write=markdown=$out/report.md"
    "--write=html=$out/report.html"
    "--write=json=$out/report.json"
)
if [ "$FAIL_ON" != never ]; then
    arguments+=("--fail-on=$FAIL_ON")
fi
if [ -n "$BASE_TUTOR_ROOT" ]; then
    arguments+=("--base-tutor-root=$BASE_TUTOR_ROOT")
fi
if [ "$RENDER" = true ]; then
    arguments+=(--render)
fi
if [ "$ALLOW_RENDER" = true ]; then
    arguments+=(--allow-render)
fi

status=0
tutor-kustomizer diff "${arguments[@]}" -- "$OVERLAY" || status=$?
case $status in
0) failed=false ;;
3) failed=true ;;
*) exit "$status" ;;
esac

cat "$out/report.md" >>"$GITHUB_STEP_SUMMARY"
{
    echo "failed=$failed"
    echo "markdown=$out/report.md"
    echo "html=$out/report.html"
    echo "json=$out/report.json"
    python3 -I - "$out/report.json" <<'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)["summary"]
for action in ("add", "change", "replace", "destroy"):
    print(f"{action}={summary[action]}")
print(f"errors={summary['findings']['error']}")
print(f"warnings={summary['findings']['warning']}")
print(f"changed={str(any(summary[action] for action in ('add', 'change', 'replace', 'destroy'))).lower()}")
END
} >>"$GITHUB_OUTPUT"
