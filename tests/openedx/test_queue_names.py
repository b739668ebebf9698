"""What workers take and what a site calls its queues, where nothing or little of its own is set."""

from __future__ import annotations

from kustomizer.manifests.protocols import read_build
from kustomizer.openedx.queue_names import consumed_queues

TEMPLATE = """\
---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{name: a}}, {{args: [celery, worker, {options}]}}]}}}}}}
"""


def test_consumed_queues_and_who_consumes_them() -> None:
    given = [
        ("Deployment", "lms-worker", "-X, edx.cms.core.default"),
        ("StatefulSet", "mail", "-Q, 'mail,post'"),
        ("Job", "drain", "-Q, drained"),
        ("Deployment", "superset-worker", "-E"),
    ]
    text = "".join(TEMPLATE.format(kind=kind, name=name, options=options) for kind, name, options in given)
    resources = read_build(text.encode())
    assert {queue: worker.name for queue, worker in consumed_queues(resources, resources).items()} == {
        "edx.lms.core.default": "lms-worker",
        "edx.lms.core.high": "lms-worker",
        "edx.lms.core.high_mem": "lms-worker",
        "mail": "mail",
        "post": "mail",
    }
