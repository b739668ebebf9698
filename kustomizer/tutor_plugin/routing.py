"""Renders the routing of an overlay's configuration for Open edX's own settings.

Then everything that Tutor starts sends its tasks to the right queues, such as the Jobs of `tutor k8s do`, which the
overlay can't change. The function finds the routing there and adds nothing (kustomizer/transform/routing.py).
"""

from __future__ import annotations

from pathlib import Path

from kustomizer.openedx.settings_module import render_routing
from kustomizer.overlay.config_file import read_config
from kustomizer.transform.routing import routing_table


def tutor_routing(overlay: object, service: str, root: Path) -> str:
    """Return the statement for the settings of ``service``, empty where nothing is routed.

    A relative path starts at Tutor's ``root``. Tutor reads a name such as 2024 as a number. Raises UserError where the
    overlay has no valid configuration.
    """
    routing = routing_table(read_config(root / Path(str(overlay)).expanduser()), service)
    return render_routing(routing) if routing else ""
