"""Build the Grafana dashboard that is shipped: `tools/build_dashboard.py`, after a change to tools/dashboard_panels.py.

A test holds the file in the package to what this script makes of the panels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard_panels import NAMESPACES, PANELS
from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models, dashboard as models

if TYPE_CHECKING:
    from dashboard_panels import Panel

TARGET = Path(__file__).resolve().parent.parent / "kustomizer" / "data" / "celery-dashboard.json"
DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH, HEIGHT = 8, 8


def panel(wanted: Panel) -> timeseries.Panel:
    """Return the builder of one panel."""
    legend = common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.TABLE)
    legend = legend.placement(common_models.LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull", "max"])
    result = (
        timeseries.Panel()
        .title(wanted.title)
        .description(wanted.description)
        .datasource(DATASOURCE)
        .unit(wanted.unit)
        .min(0)
        .span(WIDTH)
        .height(HEIGHT)
        .fill_opacity(10)
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    )
    if wanted.maximum is not None:
        result = result.max(wanted.maximum)
    for number, (legend_format, expression) in enumerate(wanted.queries.items()):
        query = prometheus.Dataquery().expr(expression).legend_format(legend_format).range()
        result = result.with_target(query.datasource(DATASOURCE).ref_id("ABC"[number]))
    return result


def build() -> str:
    """Return the dashboard's JSON."""
    namespace = (
        dashboard.QueryVariable("namespace")
        .label("Namespace")
        .datasource(DATASOURCE)
        .query(NAMESPACES)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    result = (
        dashboard.Dashboard("Open edX Celery workers")
        .uid("openedx-celery")
        .description(
            "Queues, workers and tasks of Open edX, from Flower's metrics and, where there is one, an exporter."
        )
        .tags(["openedx", "celery"])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(namespace)
    )
    for number, wanted in enumerate(PANELS, start=1):
        result = result.with_panel(panel(wanted).id(number))
    return json.dumps(result.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(build())
