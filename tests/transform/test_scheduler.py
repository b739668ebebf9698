"""A scheduler in Tutor's worker, in an option or beside it: no copy runs one, and none is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keda_site import LMS_VARIANTS, Result, Site, built, config_map, site, worked, worker

SPLIT = "{workers: {lms: {high: {}, high_mem: {}}}%s}"
MOVED = ", scheduler: {enabled: true}"


def given(
    *options: str, containers: list[dict[str, Any]] | None = None, before: list[dict[str, Any]] | None = None
) -> Site:
    """Return a site whose LMS worker has these options, and these containers beside it; ``before`` start first."""
    lms = worker("lms", LMS_VARIANTS)
    pod = lms["spec"]["template"]["spec"]
    pod["containers"][0]["args"] += options
    pod["containers"] = [*(containers or ()), *pod["containers"]]
    if before is not None:
        pod["initContainers"] = before
    return site(lms_worker=lms)


def test_an_init_container_that_deletes_what_waits() -> None:
    purge = {"name": "clean", "image": "openedx", "command": ["celery", "--app=lms.celery", "purge", "-f"]}
    migrate = {"name": "migrate", "image": "openedx", "command": ["sh", "-c", "./manage.py lms migrate"]}
    [warning] = [str(each) for each in worked(SPLIT % "", given(before=[migrate, purge])).output.problems]
    assert "spec.template.spec.initContainers[1]: container clean runs celery purge: it runs in each pod of" in warning
    assert not worked(SPLIT % "", given(before=[migrate])).output.problems


def test_an_init_container_that_never_ends() -> None:
    """The split is done, and no pod of it would start."""
    [warning] = worked(SPLIT % "", given(before=[beat()])).warnings
    assert "initContainers[0]: runs celery beat before the pod starts, and never ends: no pod of" in warning
    assert "no pod of lms-worker, lms-worker-high, lms-worker-high-mem starts" in warning
    assert "restartPolicy: Always" in warning


def beat() -> dict[str, Any]:
    return {
        "name": "lms-beat",
        "image": "openedx",
        "args": ["celery", "--app=lms.celery", "beat", "-l", "info"],
    }


def pods(result: Result) -> dict[str, list[list[str]]]:
    """Return what each container of each Deployment of lms runs."""
    found = {}
    for name in result.kinds("Deployment"):
        if name.startswith("lms"):
            containers = result.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
            found[name] = [container.get("args") or [] for container in containers]
    return found


def beats(result: Result) -> list[str]:
    return [name for name, runs in pods(result).items() for words in runs if {"beat", "--beat", "-B", "-EB"} & {*words}]


@pytest.mark.parametrize("options", [("--beat",), ("-B", "-s", "schedule"), ("-EB",), ("--beat", "--scheduler=a:B")])
def test_no_copy_has_the_option(options: list[str]) -> None:
    result = worked(SPLIT % "", given(*options))
    assert beats(result) == ["lms-worker"]
    copy = pods(result)["lms-worker-high"][0]
    assert not any(word.startswith(("-s", "--sched", "schedule")) for word in copy)
    assert ("-E" in copy) == ("-EB" in options)
    assert "runs a scheduler (beat), which stays in it alone: lms-worker-high, lms-worker-high-mem run none" in str(
        result.output.problems
    )


@pytest.mark.parametrize("proxy", [[], [{"name": "proxy", "image": "proxy"}]])
def test_no_copy_has_the_container(proxy: list[dict[str, Any]]) -> None:
    """The worker needn't be the first container."""
    result = worked(SPLIT % "", given(containers=[beat(), *proxy]))
    assert beats(result) == ["lms-worker"]
    assert [len(runs) for runs in pods(result).values()] == [2 + len(proxy), 1 + len(proxy), 1 + len(proxy)]
    for name in ("lms-worker-high", "lms-worker-high-mem"):
        pod = result.get("Deployment", name)["spec"]["template"]["spec"]
        [worker_container] = [each for each in pod["containers"] if each["name"] == name]
        assert worker_container["volumeMounts"][0]["name"] == "celery-settings-lms"


@pytest.mark.parametrize("pods_of_default", ["replicas: 2", "keda: {enabled: true, minReplicas: 1}"])
@pytest.mark.parametrize("lms", [given("-B"), given(containers=[beat()])])
def test_a_default_worker_that_may_have_more_pods_is_refused(pods_of_default: str, lms: bytes) -> None:
    spec = "{workers: {lms: {default: {%s}, high: {}, high_mem: {}}}%s}"
    [message] = built(spec % (pods_of_default, ""), lms).errors
    assert "lms-worker runs a scheduler (beat) and may have any number of pods but one" in message
    assert "spec.scheduler.enabled: true" in message
    result = worked(spec % (pods_of_default, MOVED), lms)
    assert beats(result) == ["lms-beat"]


@pytest.mark.parametrize("lms", [given("--beat", "--schedule=s"), given(containers=[beat()])])
def test_a_deployment_of_its_own(lms: bytes) -> None:
    result = worked(SPLIT % MOVED, lms)
    assert beats(result) == ["lms-beat"]
    deployment = result.get("Deployment", "lms-beat")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    template = deployment["spec"]["template"]
    assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "lms-beat"
    assert deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == "lms-beat"
    [container] = template["spec"]["containers"]
    assert container["args"][:3] == ["celery", "--app=lms.celery", "beat"]
    assert not any(word.startswith(("--queues", "--hostname", "--schedule-filename")) for word in container["args"])


@pytest.mark.parametrize("split", [None, 0, 1, 3, 4, 99])
def test_each_word_stays_in_its_list(split: int | None) -> None:
    """What stands in `command` takes the place of the image's own program."""
    lms = worker("lms", LMS_VARIANTS)
    container = lms["spec"]["template"]["spec"]["containers"][0]
    words = [*container["args"], "--beat", "--schedule=s"]
    container |= {"args": words} if split is None else {"command": words[:split], "args": words[split:]}
    result = worked(SPLIT % MOVED, site(lms_worker=lms))
    [beats_container] = result.get("Deployment", "lms-beat")["spec"]["template"]["spec"]["containers"]
    command, args = (beats_container.get(field) or [] for field in ("command", "args"))
    assert (command + args)[:3] == ["celery", "--app=lms.celery", "beat"]
    assert (command + args)[-1] == "--schedule=s"
    assert len(command) == {None: 0, 0: 0, 1: 1}.get(split, len(command + args))


def test_a_proxy_goes_with_it() -> None:
    proxy, flower = {"name": "stunnel", "image": "stunnel"}, {"name": "flower", "image": "mher/flower"}
    for lms in (given("--beat", containers=[proxy, flower]), given(containers=[beat(), proxy, flower])):
        pod = worked(SPLIT % MOVED, lms).get("Deployment", "lms-beat")["spec"]["template"]["spec"]
        assert [each["name"] for each in pod["containers"]] == ["lms-beat", "stunnel"]


@pytest.mark.parametrize("source", ["env", "envFrom"])
@pytest.mark.parametrize("value", ["true", ""])
def test_a_variable_that_stands_for_the_option(source: str, value: str) -> None:
    names = ("CELERY_WORKER_BEAT", "CELERY_WORKER_PURGE")
    lms = worker("lms", LMS_VARIANTS)
    container = lms["spec"]["template"]["spec"]["containers"][0]
    if source == "env":
        container["env"] = [{"name": name, "value": value} for name in names]
    else:
        container["envFrom"] = [{"configMapRef": {"name": "more"}}]
    given = site(lms_worker=lms, others=[config_map("more", dict.fromkeys(names, value))])
    result = worked(SPLIT % "", given)
    said = [problem.message for problem in result.output.problems]
    assert [each.partition(":")[0] for each in said] == [
        "may run a scheduler (beat; not every version of Celery's command heeds CELERY_WORKER_BEAT), which stays in it "
        "alone",
        "may delete what waits when it starts (CELERY_WORKER_PURGE)",
    ] * bool(value)

    def emptied(result: Result, name: str) -> list[str]:
        found = result.get("Deployment", name)["spec"]["template"]["spec"]["containers"][0].get("env") or []
        return [each["name"] for each in found if not each["value"]]

    by_an_empty_one = list(names) if source == "envFrom" and value else []
    assert emptied(result, "lms-worker-high") == (by_an_empty_one or ([] if value else emptied(result, "lms-worker")))
    moved = worked(SPLIT % MOVED, given)
    assert ("lms-beat" in moved.kinds("Deployment")) == bool(value)
    if value:
        assert emptied(moved, "lms-worker") == by_an_empty_one[:1]
        assert worked(SPLIT % MOVED, moved.output.data).output.data == moved.output.data


def test_a_variable_in_a_worker_of_several_pods() -> None:
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "CELERY_WORKER_BEAT", "value": "1"}]
    spec = SPLIT.replace("high: {}", "default: {replicas: 2}, high: {}")
    [message] = built(spec % "", site(lms_worker=lms)).errors
    assert "may run a scheduler (beat; not every version" in message
    assert "or take CELERY_WORKER_BEAT out where no scheduler is meant" in message


@pytest.mark.parametrize("keda", ["minReplicas: 1, maxReplicas: 1", "pausedReplicas: 1"])
def test_exactly_one_pod_of_kedas(keda: str) -> None:
    spec = SPLIT.replace("high: {}", f"default: {{keda: {{enabled: true, {keda}}}}}, high: {{}}") % ""
    assert beats(worked(spec, given("--beat"))) == ["lms-worker"]


REDBEAT = {"name": "lms-beat", "image": "openedx", "args": ["celery", "--app=lms.celery", "beat", "-S", "redbeat.X"]}
REDBEAT_SETTINGS = "CELERYBEAT_SCHEDULER = 'redbeat.RedBeatScheduler'\n"


@pytest.mark.parametrize(
    "lms",
    [
        given("--beat", "-S", "redbeat.RedBeatScheduler"),
        given("--beat")._replace(settings=REDBEAT_SETTINGS),
        given(containers=[REDBEAT]),
        given(containers=[beat()])._replace(settings=REDBEAT_SETTINGS),
    ],
)
def test_redbeats_take_turns(lms: Site) -> None:
    """One of several works; with none of them, nothing is sent."""
    spec = SPLIT.replace("high: {}", "default: {%s}, high: {}") % ("%s", "")
    for pods_of_default in ("replicas: 3", "keda: {enabled: true, minReplicas: 1}"):
        result = worked(spec % pods_of_default, lms)
        assert beats(result) == ["lms-worker"]
    for keda in ("", ", minReplicas: 1, idleReplicas: 0", ", minReplicas: 1, pausedReplicas: 0"):
        pods_of_default = f"keda: {{enabled: true{keda}}}"
        [message] = built(spec % pods_of_default, lms).errors
        assert "runs a scheduler (beat) and may have no pods: each periodic task would be sent by none then" in message
    unlocked = given("--beat")._replace(settings=f"{REDBEAT_SETTINGS}REDBEAT_LOCK_KEY = None\n")
    assert "any number of pods but one" in built(spec % "replicas: 3", unlocked).errors[0]
    both = given("--beat", containers=[REDBEAT])
    assert "any number of pods but one" in built(spec % "replicas: 3", both).errors[0]


def test_a_purge_stays_where_it_is() -> None:
    result = worked(SPLIT % "", given("--purge"))
    assert [name for name, runs in pods(result).items() if "--purge" in runs[0]] == ["lms-worker"]
    assert "deletes what waits when it starts" in str(result.output.problems)


def test_a_container_of_the_application_that_is_no_worker() -> None:
    cron = {"name": "cron", "image": "openedx", "args": ["./manage.py", "lms", "send_emails"]}
    [warning] = worked(SPLIT % "", given(containers=[cron])).warnings
    assert "container cron has the worker's image and isn't a worker" in warning
    assert not worked(SPLIT % "", given(containers=[{"name": "proxy", "image": "envoy"}])).warnings


@pytest.mark.parametrize(
    ("container", "program"),
    [
        ({"image": "mher/flower:2.0.1"}, "Flower"),
        ({"image": "registry:5000/x", "command": ["celery", "--broker=redis://redis", "flower"]}, "Flower"),
        ({"image": "x", "args": ["/venv/bin/celery", "-A", "lms", "events", "--camera=a"]}, "celery events"),
        ({"image": "x", "command": ["sh", "-c", "while celery -A lms status; do sleep 9; done"]}, "celery status"),
        ({"image": "x", "args": ["python", "-m", "celery", "-A", "lms", "inspect", "ping"]}, "celery inspect"),
        ({"image": "danihodovic/celery-exporter@sha256:0"}, "celery-exporter"),
        ({"image": "x", "command": ["/usr/bin/supercronic", "/etc/crontab"]}, "supercronic"),
        ({"image": "x", "args": ["crond", "-f"]}, "crond"),
    ],
)
def test_what_watches_celery_in_an_image_of_its_own(container: dict[str, Any], program: str) -> None:
    beside = {"name": "beside", **container}
    [warning] = worked(SPLIT % "", given(containers=[beside])).warnings
    assert f"container beside runs {program}: it runs in each pod of lms-worker-high, lms-worker-high-mem" in warning
    [warning] = worked(SPLIT % "", given(before=[{**beside, "restartPolicy": "Always"}])).warnings
    assert "initContainers[0]" in warning
    assert not any("beside runs" in each for each in worked(SPLIT % "", given(before=[beside])).warnings)
    assert not worked("{workers: {lms: {}}, unassignedQueues: KeepOnDefault}", given(containers=[beside])).warnings


@pytest.mark.parametrize(
    "container",
    [
        {"image": "newrelic/infrastructure", "env": [{"name": "A", "value": "celery flower"}]},
        {"image": "fluent-bit", "args": ["tail", "/var/log/celery.log", "status"]},
    ],
)
def test_a_sidecar_is_copied_without_a_word(container: dict[str, Any]) -> None:
    assert not worked(SPLIT % "", given(containers=[{"name": "beside", **container}])).output.problems


@pytest.mark.parametrize("options", [("--beat",), ()])
def test_a_second_run_changes_nothing(options: tuple[str, ...]) -> None:
    lms = given(*options, containers=None if options else [beat()])
    for more in ("", MOVED):
        once = worked(SPLIT % more, lms)
        again = worked(SPLIT % more, once.output.data)
        assert again.output.data == once.output.data


def test_a_sidecar_that_starts_first() -> None:
    """Kubernetes runs an init container that restarts beside the others, as long as the pod lives."""
    once = {"name": "wait", "image": "openedx", "args": ["true"]}
    sidecar = {**beat(), "restartPolicy": "Always"}

    def init_containers(result: Result) -> dict[str, list[str]]:
        specs = {name: result.get("Deployment", name)["spec"]["template"]["spec"] for name in pods(result)}
        return {name: [each["name"] for each in spec.get("initContainers") or ()] for name, spec in specs.items()}

    stays = worked(SPLIT % "", given(before=[once, sidecar]))
    assert init_containers(stays) == {
        "lms-worker": ["wait", "lms-beat"],
        "lms-worker-high": ["wait"],
        "lms-worker-high-mem": ["wait"],
    }
    moved = worked(SPLIT % MOVED, given(before=[once, sidecar]))
    assert {tuple(names) for names in init_containers(moved).values()} == {("wait",)}
    [container] = moved.get("Deployment", "lms-beat")["spec"]["template"]["spec"]["containers"]
    assert "restartPolicy" not in container
    assert "beat" in container["args"]
    [message] = built(
        SPLIT.replace("high: {}", "default: {replicas: 2}, high: {}") % "", given(before=[sidecar])
    ).errors
    assert "runs a scheduler (beat)" in message


def test_a_scheduler_that_nothing_runs() -> None:
    [problem] = worked(SPLIT % MOVED, given()).output.problems
    assert problem.field == "spec.scheduler.enabled"
    assert "no worker that is split runs a scheduler" in problem.message
    assert not worked(SPLIT % MOVED, given("--beat")).output.problems


def test_a_second_program_that_starts_first_stays_where_it_is() -> None:
    flower = {"name": "flower", "image": "mher/flower", "restartPolicy": "Always"}
    wait = {"name": "wait", "image": "busybox"}
    moved = worked(SPLIT % MOVED, given("--beat", before=[wait, flower]))
    beat_pod, worker_pod = (
        moved.get("Deployment", name)["spec"]["template"]["spec"] for name in ("lms-beat", "lms-worker")
    )
    assert [each["name"] for each in beat_pod["initContainers"]] == ["wait"]
    assert [each["name"] for each in worker_pod["initContainers"]] == ["wait", "flower"]


def test_a_deployment_of_its_name_is_there() -> None:
    """Two would send each task twice; one that an earlier build made stays."""
    own = worker("lms", LMS_VARIANTS)
    own["metadata"]["name"] = "lms-beat"
    [message] = built(SPLIT % MOVED, given("--beat")._replace(others=[own])).errors
    assert "Deployment lms-beat in namespace openedx: metadata.name: is there already, and lms-worker runs" in message
    once = worked(SPLIT % MOVED, given("--beat"))
    assert worked(SPLIT % MOVED, once.output.data).output.data == once.output.data
