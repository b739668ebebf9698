"""Print the Celery workers of a built site: queue, Deployment, what it consumes, how it scales."""

from __future__ import annotations

import itertools
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEADINGS = ("queue", "Deployment", "consumes", "scales")
# Strings only, so safe; kustomize writes values that PyYAML's other loaders choke on, such as a plain `=`.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
AUTOSCALERS = {
    "ScaledObject": ("KEDA", "minReplicaCount", "0", "maxReplicaCount", "100"),
    "HorizontalPodAutoscaler": ("HPA", "minReplicas", "1", "maxReplicas", "?"),
}


def queues(words: Sequence[str]) -> list[str] | None:
    """Return the queues of a Celery worker's command line; the last option counts, as for Celery itself."""
    found = None
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in {"-Q", "--queues"}:
            found = following
        elif word.startswith("--queues="):
            found = word.removeprefix("--queues=")
        elif word.startswith("-Q"):
            found = word.removeprefix("-Q")
    return None if found is None else [queue.strip() for queue in found.split(",")]


def command_lines(deployment: Any) -> Iterator[list[str]]:
    """Give the command line of each container that is a Celery worker."""
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        words = [*container.get("command", []), *container.get("args", [])]
        if words[:1] == ["sh"] or words[:1] == ["bash"]:
            words = " ".join(words).split()
        if "worker" in words and any(Path(word).name == "celery" for word in words):
            yield words


def scaling(deployment: Any, autoscalers: Sequence[Any]) -> str:
    """Say who sets the number of replicas."""
    owners = []
    for autoscaler in autoscalers:
        label, low, low_default, high, high_default = AUTOSCALERS[autoscaler["kind"]]
        spec = autoscaler["spec"]
        same_namespace = autoscaler["metadata"].get("namespace") == deployment["metadata"].get("namespace")
        if same_namespace and spec["scaleTargetRef"]["name"] == deployment["metadata"]["name"]:
            owners.append(f"{label} {spec.get(low, low_default)}-{spec.get(high, high_default)}")
    replicas = deployment["spec"].get("replicas")
    return " and ".join(owners) or (f"{replicas}, fixed" if replicas else "1 (Tutor's default)")


def rows(resources: Sequence[Any]) -> Iterator[tuple[str, str, str, str]]:
    """Give a row for each queue of each worker."""
    autoscalers = [resource for resource in resources if resource["kind"] in AUTOSCALERS]
    for deployment in resources:
        if deployment["kind"] != "Deployment":
            continue
        name, scales = deployment["metadata"]["name"], scaling(deployment, autoscalers)
        for words in command_lines(deployment):
            consumed = queues(words)
            if consumed is None:
                yield ("(its default)", name, "names no queue", scales)
                continue
            what = "only this queue" if len(consumed) == 1 else f"{len(consumed)} queues"
            for queue in consumed:
                yield (queue, name, what, scales)


def table(lines: Sequence[Sequence[str]], width: int) -> str:
    """Return ``lines`` in columns, wrapped within their cells if they would be wider than ``width``."""
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    longest_words = [max(len(word) for cell in column for word in cell.split()) for column in columns]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        # Words are broken only when wrapping between them doesn't do.
        wrappable = [index for index, size in enumerate(widths) if size > longest_words[index]]
        widest = max(wrappable or range(len(widths)), key=lambda index: widths[index])
        widths[widest] -= 1
    text = []
    for line in lines:
        cells = [textwrap.wrap(cell, size, break_on_hyphens=False) for cell, size in zip(line, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            text.append("  ".join(part.ljust(size) for part, size in zip(parts, widths, strict=True)).rstrip())
    return "\n".join(text)


def main() -> None:
    """Print the table for the file that the first argument names."""
    with Path(sys.argv[1]).open(encoding="utf-8") as stream:
        resources = [resource for resource in yaml.load_all(stream, LOADER) if resource]
    found = sorted(rows(resources), key=lambda row: (row[1].partition("-worker")[0], row[1], row[0]))
    if not found:
        sys.exit(f"Error: {sys.argv[1]} holds no Celery worker.")
    print(table([HEADINGS, *found], max(shutil.get_terminal_size().columns, 40)))


if __name__ == "__main__":
    main()
