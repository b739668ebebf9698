"""Renders the configured routing for Open edX's own settings.

Then everything that Tutor starts sends its tasks to the right queues, such as the Jobs of `tutor k8s do`, which neither
an overlay nor the split in env/ can change. The function finds the routing there and adds nothing
(kustomizer/transform/routing.py).
"""

from __future__ import annotations

from kustomizer.openedx.settings_module import render_routing
from kustomizer.overlay.config_file import read_config
from kustomizer.transform.routing import routing_table
from kustomizer.tutor_env.configuration import configured
from kustomizer.tutor_plugin.hooks import added_by_plugins
from kustomizer.tutor_plugin.options import Options


def tutor_routing(wanted: Options, service: str) -> str:
    """Return the statement for the settings of ``service``, empty where nothing is routed.

    Raises UserError where there is no valid configuration.
    """
    if wanted.overlay is not None:
        config = read_config(wanted.overlay)
    else:
        config = configured(wanted.present_config, added_by_plugins())
    routing = routing_table(config, service)
    return render_routing(routing) if routing else ""
