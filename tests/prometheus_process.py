"""A real Prometheus that scrapes what a ServiceMonitor says, as the Prometheus Operator would have it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests import parts
from tests.flower_process import free_port
from tests.processes import PATIENCE, answering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Prometheus(NamedTuple):
    """A running Prometheus."""

    url: str

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return labels and value of each series that the expression gives now."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=PATIENCE) as answer:  # noqa: S310
            result = json.load(answer)["data"]["result"]
        return [(item["metric"], float(item["value"][1])) for item in result]


def scrape_config(monitor: Mapping[str, Any], service: Mapping[str, Any], port: int) -> dict[str, Any]:
    """Return what the Operator makes of a ServiceMonitor; the Service's one pod is at ``port`` of this machine."""
    spec, metadata = monitor["spec"], service["metadata"]
    assert metadata["namespace"] in spec["namespaceSelector"]["matchNames"]
    assert spec["selector"]["matchLabels"].items() <= metadata["labels"].items()
    [endpoint] = spec["endpoints"]
    assert endpoint["port"] in [item["name"] for item in service["spec"]["ports"]]
    return {
        "job_name": f"serviceMonitor/{metadata['namespace']}/{monitor['metadata']['name']}/0",
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint.get("honorLabels", False),
        **({"scrape_interval": endpoint["interval"]} if "interval" in endpoint else {}),
        "static_configs": [
            {
                "targets": [f"127.0.0.1:{port}"],
                "labels": {
                    "job": metadata["name"],
                    "namespace": metadata["namespace"],
                    "service": metadata["name"],
                    "endpoint": endpoint["port"],
                },
            }
        ],
    }


@contextlib.contextmanager
def prometheus(directory: Path, *scrapes: Mapping[str, Any], data: Path | None = None) -> Iterator[Prometheus]:
    """Run a Prometheus until the end of the context, with what is recorded in ``data``."""
    program = parts.program("prometheus")
    directory.mkdir(parents=True)
    config = directory / "prometheus.yaml"
    config.write_text(yaml.safe_dump({"global": {"evaluation_interval": "1s"}, "scrape_configs": list(scrapes)}))
    running = Prometheus(f"http://127.0.0.1:{free_port()}")
    log = directory / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={data or directory / 'data'}",
                f"--web.listen-address={running.url.removeprefix('http://')}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with answering(process, log, lambda: _is_ready(running)):
        yield running


def _is_ready(running: Prometheus) -> bool:
    try:
        with urllib.request.urlopen(f"{running.url}/-/ready", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
