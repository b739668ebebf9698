"""From plain Tutor to the split workers while tasks run, and back again."""

from typing import Any

from tests.control_plane import emissions
from tests.control_plane.run_site import RunningSite
from tests.control_plane.scenario import LMS_DEFAULT, LMS_HIGH, LMS_HIGH_MEM, LOSS, MINUTE, SECOND, Scenario, Step, each

FORTH, BACK, END = 3 * MINUTE, 12 * MINUTE, 20 * MINUTE
CONSUMED = (LMS_DEFAULT, LMS_HIGH, LMS_HIGH_MEM)


def forth(site: RunningSite) -> None:
    """Apply the split workers over Tutor's."""
    site.apply(site.objects())


def forth_drained(site: RunningSite) -> None:
    """Let Tutor's workers take nothing more, wait until they are done, and apply the split ones."""
    drain(site, emissions.PLAIN)
    forth(site)


def back(site: RunningSite) -> None:
    """Go back as docs/operations.md has it: KEDA's hands off, Tutor's workers applied, what was added deleted."""
    remain = [item for item in site.objects(emissions.PLAIN) if item["kind"] != "Namespace"]
    added = _names(site.objects()) - _names(remain)

    def delete(kind: str) -> None:
        if names := sorted(name for found, name in added if found == kind):
            site.place.cluster.delete(kind, site.namespace, *names)

    delete("ScaledObject")
    site.apply(remain)
    delete("Deployment")
    delete("PodDisruptionBudget")


def drain(site: RunningSite, emitted: str) -> None:
    """Tell the workers of an emission to take no more tasks, and wait until none of their tasks runs."""
    control = site.control()
    for queue in CONSUMED:
        control.cancel_consumer(queue)
    pods = {pod.name for pod in site.pods() if pod.deployment in site.deployments(emitted)}
    site.wait(lambda: not any(pod.name in pods for queue in CONSUMED for pod in site.busy(queue)), "the last task")


def _names(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(item["kind"], item["metadata"]["name"]) for item in objects}


def _scenario(key: str, title: str, go: Step) -> Scenario:
    return Scenario(
        key=key,
        title=title,
        messages=[
            *each(240, LMS_DEFAULT, 2 * SECOND, every=5 * SECOND),
            *each(120, LMS_HIGH, 4 * SECOND, every=10 * SECOND),
            *each(8, LMS_HIGH_MEM, 3 * MINUTE, at=SECOND, every=150 * SECOND),
        ],
        steps=[go, Step(at=BACK, what="back to plain Tutor", act=back)],
        sites=(*LOSS, emissions.IN_ENV),
        begins_with=emissions.PLAIN,
        every_worker=True,
        background=False,
    )


SCENARIO = _scenario(
    "going-live",
    "368 tasks of 2 s to 3 minutes, going live and back",
    Step(at=FORTH, what="going live", act=forth),
)
DRAINED = _scenario(
    "going-live-drained",
    "the same, and Tutor's workers take nothing more before",
    Step(at=FORTH, what="going live", act=forth_drained),
)
