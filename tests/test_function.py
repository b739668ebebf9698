"""The function as a whole, from bytes to bytes: golden cases, and what holds for all of them."""

from __future__ import annotations

import difflib
import functools
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from benchmarks import inputs
from kustomizer.function import run_resource_list, run_stream
from kustomizer.manifests.name_hashes import stem_of
from tests import sites
from tests.examples import sample
from tests.golden_cases import TAIL, Case, cases, documents, items, resource_list, said

if TYPE_CHECKING:
    from pathlib import Path

    from kustomizer.function import Output

CASES = {case.directory.name: case for case in cases()}
SUCCEEDING = {name: case for name, case in CASES.items() if case.expected}
REFUSED = {name: case for name, case in CASES.items() if not case.expected}

HEAD = "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata:\n  name: celery-workers\n"
RECOMMENDED = CASES["recommended"]


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    """Run the test for each case."""
    found: Case = request.param
    return found


@pytest.fixture(params=list(SUCCEEDING.values()), ids=list(SUCCEEDING))
def good_case(request: pytest.FixtureRequest) -> Case:
    """Run the test for each case that isn't refused."""
    found: Case = request.param
    return found


@pytest.fixture(params=list(REFUSED.values()), ids=list(REFUSED))
def refused_case(request: pytest.FixtureRequest) -> Case:
    """Run the test for each case that is refused."""
    found: Case = request.param
    return found


def test_golden(case: Case, request: pytest.FixtureRequest) -> None:
    output = run_stream(case.stream.encode(), case.config)
    if request.config.getoption("refresh_golden"):
        case.refresh(output)

    assert said(output) == case.stderr
    assert output.data.decode() == case.expected
    assert output.failed == (not case.expected)


def test_the_order_of_the_objects_does_not_matter(case: Case) -> None:
    """Neither for what comes out, nor for what is said."""
    documents = [text for text in case.stream.split("---\n") if text.strip()]
    expected = run_stream(case.stream.encode(), case.config)
    output = run_stream("---\n".join(reversed(documents)).encode(), case.config)
    assert sorted(said(output).splitlines()) == sorted(said(expected).splitlines())
    assert parted(output) == parted(expected)


def parted(output: Output) -> list[str]:
    return sorted(text.strip() for text in output.data.decode().split("---\n"))


def test_each_case_says_what_it_shows(case: Case) -> None:
    assert case.config.startswith(b"# ")
    assert {path.name for path in case.directory.iterdir()} <= {
        "config.yaml",
        "input.yaml",
        "expected.yaml",
        "stderr.txt",
    }
    assert case.expected or case.stderr


# Both protocols


def test_both_protocols_give_the_same_resources(good_case: Case) -> None:
    output = run_resource_list(good_case.resource_list)

    assert items(output.data) == documents(good_case.expected)
    assert said(output) == good_case.stderr


def test_refused_resource_list_has_its_items_as_they_were(refused_case: Case) -> None:
    given = refused_case.resource_list
    output = run_resource_list(given)

    assert output.failed
    assert output.data.startswith(given)
    assert set(yaml.safe_load(output.data.removeprefix(given))) == {"results"}
    assert said(output) == refused_case.stderr


def test_refused_stream_is_empty(refused_case: Case) -> None:
    output = run_stream(refused_case.stream.encode(), refused_case.config)

    assert output.failed
    assert output.data == b""


def test_results_are_what_is_said(case: Case) -> None:
    output = run_resource_list(case.resource_list)

    # What they are of needn't be parsed for them.
    _, mark, text = output.data.decode().rpartition("\nresults:")
    results = yaml.safe_load(text) if mark else []
    assert len(results) == len(output.problems)
    for result, problem in zip(results, output.problems, strict=True):
        assert result["severity"] == problem.severity
        assert problem.message in result["message"]
        assert problem.remedy in result["message"]
        assert result.get("field", {}).get("path", "") == problem.field
        assert problem.resource is not None
        assert result["resourceRef"]["kind"] == problem.resource.kind
        assert result["resourceRef"]["name"] == problem.resource.name


def test_results_have_the_specifications_form() -> None:
    output = run_resource_list(CASES["unassigned-error"].resource_list)

    assert yaml.safe_load(output.data)["results"] == [
        {
            "message": "after the split no worker would consume edx.lms.core.high_mem: tasks there would wait for "
            "ever. Give each a worker here or list it in another worker's queues, or set "
            "spec.unassignedQueues: KeepOnDefault",
            "severity": "error",
            "resourceRef": {
                "apiVersion": "celery.openedx.io/v1alpha1",
                "kind": "CeleryWorkers",
                "name": "celery-workers",
            },
            "field": {"path": "spec.workers.lms"},
        }
    ]


def test_messages_name_object_field_and_remedy(case: Case) -> None:
    for problem in run_stream(case.stream.encode(), case.config).problems:
        assert problem.resource is not None, problem
        assert problem.field or problem.severity != "error", problem
        assert problem.remedy or "has to be " in problem.message, problem


# What isn't touched


def test_untouched_items_are_handed_back_byte_for_byte_in_their_order(good_case: Case) -> None:
    given, got = items(good_case.resource_list), items(run_resource_list(good_case.resource_list).data)

    leaving = ["apiVersion: celery.openedx.io/"]
    if "leaves the build" in good_case.stderr:
        leaving.append("kind: HorizontalPodAutoscaler\n")
    survivors = [name(item) for item in given if not any(mark in item for mark in leaving)]
    assert [name(item) for item in got if name(item) in survivors] == survivors
    touched = {name(item) for item in given if item not in got}
    for kind, called, _ in touched:
        # Nothing but workers, and under routing what mounts the settings.
        assert called.endswith("-worker") or kind == "CeleryWorkers" or b"routing" in good_case.config


def test_what_is_touched_keeps_every_other_line(good_case: Case) -> None:
    """Of a changed resource only the documented lines differ; the others stay as they were written."""
    if good_case.directory.name in {"env", "maps-are-merged", "nulls", "lists-are-replaced", "extra-args", "keda"}:
        return  # what these configure on the worker is in their expected.yaml
    given = {name(document): document for document in documents(good_case.stream)}
    for document in documents(good_case.expected):
        before = given.get(name(document), document).splitlines()
        removed = [line[2:].strip() for line in difflib.ndiff(before, document.splitlines()) if line.startswith("- ")]
        for line in removed:
            assert line.startswith(DOCUMENTED) or "celery" in line, line


DOCUMENTED = (
    # The queues, and the settings volume.
    "- --queues=",
    "- --exclude-queues=",
    "- configMap:",
    "name: settings",
    "- name: settings",
    "secret:",
    "secretName:",
    "name: openedx-settings-",
    # Parts of the volume's own form, which stay in another place.
    "defaultMode:",
    "optional:",
    "items:",
    "- key:",
    "mode:",
    "path:",
    "terminationGracePeriodSeconds:",
)


@functools.cache
def name(document: str) -> tuple[str, str, str | None]:
    """Return kind, name and namespace of a document."""
    tree = yaml.load(document, yaml.CSafeLoader)
    return tree["kind"], tree["metadata"]["name"], tree["metadata"].get("namespace")


def test_bookkeeping_of_kustomize_stays_on_originals_alone() -> None:
    given = {name(document): yaml.safe_load(document) for document in documents(RECOMMENDED.stream)}
    internal = "internal.config.kubernetes.io/previousNames"
    assert given["Deployment", "lms-worker", "openedx"]["metadata"]["annotations"][internal] == "lms-worker"

    for document in documents(RECOMMENDED.expected):
        tree = yaml.safe_load(document)
        annotations = tree["metadata"].get("annotations", {})
        original = given.get(name(document))
        if original is not None:
            assert annotations == original["metadata"].get("annotations", {})
        else:
            # A default worker's new ConfigMap asks for a hash; nothing new carries anything else of kustomize's.
            kustomizes = {key: value for key, value in annotations.items() if "config.k" in key}
            asks = tree["metadata"]["name"] in {"lms-worker-celery-settings", "cms-worker-celery-settings"}
            assert kustomizes == ({"internal.config.kubernetes.io/needsHashSuffix": "enabled"} if asks else {})
            assert annotations["app.kubernetes.io/version"] == "22.0.3"


# A fixed point, and deterministic

DEFAULTS_OF_ITS_OWN = """
  defaults: {podAnnotations: {team: a}}
  workers:
    lms:
      default:
        replicas: 2
        extraArgs: [-c, "2"]
        env: [{name: A, value: b}]
        resources: {requests: {cpu: "1"}}
        nodeSelector: {pool: site}
        tolerations: [{key: site, operator: Exists}]
        terminationGracePeriodSeconds: 1200
        visibilityTimeout: 3600
      high: {terminationGracePeriodSeconds: null}
      high_mem: {}
    cms:
      default: {terminationGracePeriodSeconds: 2400}
      high: {}
      low: {}
"""


def with_spec(spec: str) -> bytes:
    """Return a configuration."""
    return f"{HEAD}spec:{spec}".encode()


def test_second_run_changes_nothing(good_case: Case) -> None:
    again = run_stream(good_case.expected.encode(), good_case.config)

    assert not again.failed, said(again)
    assert again.data.decode() == good_case.expected


def test_second_run_over_a_resource_list_changes_nothing(good_case: Case) -> None:
    once = run_resource_list(resource_list(good_case.expected, good_case.config))

    assert items(once.data) == documents(good_case.expected)


def test_second_run_changes_nothing_where_the_default_worker_has_settings_of_its_own() -> None:
    config = with_spec(DEFAULTS_OF_ITS_OWN)
    once = run_stream(RECOMMENDED.stream.encode(), config)
    assert not once.failed, said(once)

    again = run_stream(once.data, config)

    assert not again.failed, said(again)
    assert again.data == once.data


def hashed(stream: str) -> str:
    """Return a stream with the names that kustomize gives generated ConfigMaps."""
    for kind, called, _ in map(name, documents(stream)):
        if kind == "ConfigMap":
            stream = stream.replace(f"name: {called}\n", f"name: {called}-8d47ck4c27\n")
    return stream


@pytest.mark.parametrize("called", ["recommended", "routing", "sidecar", "copy-targeting"])
def test_run_over_the_output_of_a_whole_build_changes_nothing(called: str) -> None:
    built = hashed(CASES[called].expected)

    again = run_stream(built.encode(), CASES[called].config)

    assert again.data.decode() == built


def test_copies_of_another_configuration_are_refused() -> None:
    """Settings that changed since aren't silently those of the earlier run."""
    case = CASES["timeouts"]
    config = case.config.replace(b"14400", b"28800")

    for output in (case.expected, hashed(case.expected)):
        refused = said(run_stream(output.encode(), config))
        assert "it differs from the copy that spec.workers.lms.high asks for: another configuration made it" in refused
        assert "plugin" not in refused
    by_kustomize = config.replace(b"spec:\n", b"spec:\n  settings: {names: Kustomize}\n")
    earlier = run_stream(case.stream.encode(), by_kustomize.replace(b"28800", b"14400"))
    refused = said(run_stream(earlier.data, by_kustomize))
    assert "error: ConfigMap lms-worker-high-celery-settings in namespace openedx: metadata.name: the build" in refused


@pytest.mark.parametrize(("called", "before", "after"), [
    ("concurrency", b"concurrency: 4", b"concurrency: 5"),
    ("maps-are-merged", b"disk: ssd", b"disk: hdd"),
    ("other-application", b"replicas: 2", b"replicas: 3"),
])  # fmt: skip
def test_copies_are_compared_with_what_the_configuration_says(called: str, before: bytes, after: bytes) -> None:
    case = CASES[called]
    assert before in case.config

    output = run_stream(case.expected.encode(), case.config.replace(before, after))

    assert "metadata.name: the build already has this Deployment, and it differs from the copy" in said(output)


def test_routing_that_changed_since_is_followed_or_refused() -> None:
    case = CASES["routing-without-split"]
    config = case.config.replace(b"core.high}", b"core.high_mem}")

    refused = run_stream(case.expected.encode(), config)
    assert "ConfigMap lms-celery-settings in namespace openedx: metadata.name: the build" in said(refused)
    followed = run_stream(hashed(case.expected).encode(), config).data.decode()
    assert followed.count("name: lms-celery-settings\n") == 1 + len(("lms", "lms-worker"))
    assert followed.count("'queue': 'edx.lms.core.high_mem'") == 1


@pytest.mark.parametrize("called", ["recommended", "copy-targeting", "routing", "unknown-field", "routing-to-nobody"])
def test_same_bytes_whatever_the_hash_seed(called: str) -> None:
    given = CASES[called].resource_list
    program = "from kustomizer.function import main; main()"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=given,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(sites.ROOT)},
            capture_output=True,
            check=False,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert outputs == {run_resource_list(given).data}


# More than one problem


def test_problems_of_two_services_are_reported_together() -> None:
    variable = "DJANGO_SETTINGS_MODULE\n          value: "
    stream = RECOMMENDED.stream.replace(variable, f"{variable}x")
    assert stream.count("value: xlms") == stream.count("value: xcms") == 1

    told = said(run_stream(stream.encode(), RECOMMENDED.config))

    assert "Deployment lms-worker in namespace openedx: spec.template.spec" in told
    assert "Deployment cms-worker in namespace openedx: spec.template.spec" in told


def test_problems_of_a_queue_and_a_route_are_reported_together() -> None:
    config = with_spec(
        "\n  workers: {lms: {high: {}}, cms: {default: {visibilityTimeout: 60}, high: {}}}"
        "\n  routing: {lms: {some.task: {queue: nobody}}}\n"
    )

    told = said(run_stream(RECOMMENDED.stream.encode(), config))

    assert "spec.workers.lms: after the split no worker would consume edx.lms.core.high_mem" in told
    assert "spec.workers.cms: after the split no worker would consume edx.cms.core.low" in told
    assert 'spec.routing.lms["some.task"].queue: no worker of this build consumes nobody' in told
    assert "spec.workers.cms.default.visibilityTimeout: the default worker shares" in told


# What KEDA and budgets have to do with it


@pytest.mark.parametrize("keda", ["{enabled: true, inFlight: 'Off'}", "{enabled: false}"])
def test_without_settings_keda_may_scale_by_the_queue_alone(keda: str) -> None:
    config = with_spec(f"\n  workers: {{lms: {{high: {{keda: {keda}}}}}}}\n")
    stream = CASES["no-settings"].stream + "---\n" + documents(CASES["keda"].stream)[1]
    assert "lms.env.yml" in stream

    output = run_stream(stream.encode(), config)

    assert not output.failed, said(output)


BUDGET = "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: %s, namespace: openedx}, spec: %s}\n"
OF_WORKER = "{maxUnavailable: 1, selector: {matchLabels: {app.kubernetes.io/name: lms-worker}}}"


@pytest.mark.parametrize(("called", "default"), [
    ("lms-worker", "{}"),  # of the default worker's name, but a plugin's
    ("workers", "{podDisruptionBudget: {maxUnavailable: 2}}"),
])  # fmt: skip
def test_budgets_of_plugins_leave_copies_out(called: str, default: str) -> None:
    stream = CASES["several-queues"].stream + "---\n" + BUDGET % (called, OF_WORKER)
    config = with_spec(f"\n  workers: {{lms: {{default: {default}, high: {{}}, high_mem: {{}}}}}}\n")

    told = said(run_stream(stream.encode(), config))

    assert (
        f"{called} in namespace openedx: holds for lms-worker but not for lms-worker-high, lms-worker-high-mem" in told
    )


# Settings


def test_annotations_are_on_each_of_our_config_maps_and_on_no_other() -> None:
    trees = [yaml.safe_load(document) for document in documents(CASES["routing"].expected)]
    wanted = [tree["metadata"]["name"] for tree in trees if "argocd" in str(tree["metadata"].get("annotations"))]

    assert sorted(map(stem_of, wanted)) == [
        "lms-celery-settings",
        "lms-worker-celery-settings",
        "lms-worker-high-celery-settings",
    ]


def test_senders_share_one_config_map() -> None:
    names = [name(document) for document in documents(CASES["routing"].expected)]

    assert names.count(("ConfigMap", "lms-celery-settings", "openedx")) == 1
    assert CASES["routing"].expected.count("name: lms-celery-settings\n") == 1 + len(("lms", "nightly", "cairn"))


def test_tutors_config_maps_stay_byte_for_byte(good_case: Case) -> None:
    expected = documents(good_case.expected)
    for document in documents(good_case.stream):
        if name(document)[0] == "ConfigMap":
            assert document in expected


# Input of other forms


def test_stream_without_resources() -> None:
    output = run_stream(b"", RECOMMENDED.config)

    assert "the build has no Deployment lms-worker that runs a Celery worker" in said(output)
    assert output.data == b""


def test_configuration_alone_leaves_an_empty_list() -> None:
    config = f"{HEAD}spec: {{}}\n"
    output = run_resource_list(resource_list(config, config))

    assert output.data == resource_list("", config).replace(b"items:\n", b"items: []\n")
    assert not output.problems


def test_resource_list_without_configuration() -> None:
    given = RECOMMENDED.resource_list
    output = run_resource_list(given[: given.index(f"\n{TAIL}".encode()) + 1])

    assert "error: functionConfig: the input holds no configuration" in said(output)
    assert yaml.safe_load(output.data)["items"] == yaml.safe_load(given)["items"]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"a: [", b"- a\n", b"kind: List\n", b"\x00"])
def test_what_is_no_resource_list_is_refused_without_a_traceback(data: bytes) -> None:
    output = run_resource_list(data)

    assert output.failed
    assert output.data == b""
    assert len(output.problems) == 1


@pytest.mark.parametrize("convert", [
    lambda text: text.replace("\n", "\r\n"),
    lambda text: "\ufeff" + text,
    lambda text: "\ufeff" + text.replace("\n", "\r\n"),
], ids=["CRLF", "BOM", "both"])  # fmt: skip
def test_line_ends_and_byte_order_marks_do_no_harm(convert: Any) -> None:
    output = run_resource_list(convert(RECOMMENDED.resource_list.decode()).encode())

    assert items(output.data) == documents(RECOMMENDED.expected)


def test_json_is_yaml() -> None:
    import json  # noqa: PLC0415

    given = json.dumps(yaml.safe_load(RECOMMENDED.resource_list)).encode()
    got = yaml.safe_load(run_resource_list(given).data)

    assert got["items"] == [yaml.safe_load(document) for document in documents(RECOMMENDED.expected)]


# As fast as it can be


def calls(data: bytes) -> int:
    """Return how many functions of Python's and of C's the function calls for an input."""
    count = 0

    def see(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(see)
    try:
        output = run_resource_list(data)
    finally:
        sys.setprofile(None)
    assert not output.failed, said(output)
    return count


@pytest.mark.parametrize("what", ["queues", "foreign resources"])
def test_cost_is_linear(what: str) -> None:
    def cost(more: int) -> int:
        data = inputs.captured("plain", inputs.spec(queues=6 + more if what == "queues" else 6))
        return calls(data if what == "queues" else inputs.with_foreign(data, more))

    nothing, some, twice, fourfold = (cost(more) for more in (0, 60, 120, 240))
    each = (some - nothing) / 60
    assert twice - some == pytest.approx(60 * each, rel=0.1)
    assert fourfold - twice == pytest.approx(120 * each, rel=0.1)


OWN_SETTINGS = {"settings-module", "settings-volume", "settings-volumes"}
SLOW = {
    *("ast", "asyncio", "click", "concurrent", "dataclasses", "difflib", "email", "hashlib", "importlib.metadata"),
    *("inspect", "json", "logging", "msgspec", "pathlib", "pydantic", "random", "rich", "ruamel", "shutil", "socket"),
    *("subprocess", "tempfile", "threading", "traceback", "tutor", "typing", "urllib", "yaml"),
}
# __future__ is what a line at the top of each module costs; binascii reads and writes a Secret's values; _sha2, or
# _sha256 before Python 3.12, makes the hash in a ConfigMap's name.
FREE = {"__future__", "_sha2", "_sha256", "binascii", "gc"}
OF_COMMANDS = {
    *(
        "cli",
        "commands",
        "config.json_schema",
        "diff",
        "kustomize",
        "manifests.full_reader",
        "overlay",
        "rules",
        "site",
    ),
    *("start", "system"),
}
OPTIONAL = {
    *("config.broker", "config.flower", "openedx.broker", "transform.alerts", "transform.disruption_budgets"),
    *("transform.flower", "transform.keda", "worker_command.shell_words"),
}


def imported(data: bytes, tmp_path: Path) -> tuple[set[str], set[str]]:
    """Return the modules that the function imports for an input: others', and the package's own."""
    (tmp_path / "input").write_bytes(data)
    program = (
        "import sys\n"
        f"sys.path.insert(0, {str(sites.ROOT)!r})\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "before = set(sys.modules)\n"
        "from kustomizer.function import run_resource_list\n"
        "output = run_resource_list(data)\n"
        "print(*(set(sys.modules) - before))\n"
        "sys.exit(str(output.problems) if output.failed else 0)\n"
    )
    # -S: site-packages may hold *.pth files that import a lot.
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path / "input")]
    found = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    ours = {name for name in found if name.split(".")[0] == "kustomizer"}
    return found - ours, {name.partition(".")[2] for name in ours}


@pytest.mark.parametrize("called", sample(SUCCEEDING))
def test_nothing_slow_is_imported_for_what_kustomize_writes(called: str, tmp_path: Path) -> None:
    others, ours = imported(SUCCEEDING[called].resource_list, tmp_path)

    assert "manifests.protocols" in ours
    # Only for a site that sets something of Celery's itself are its settings read.
    assert ("openedx.celery.view" in ours) == (called in OWN_SETTINGS)
    assert not others & SLOW or called in OWN_SETTINGS
    assert not ours & OF_COMMANDS


@pytest.mark.parametrize("site", ["plain", "full"])
def test_nothing_else_is_imported_for_a_usual_site(site: str, tmp_path: Path) -> None:
    others, ours = imported(inputs.captured(site, inputs.spec(flower=True)), tmp_path)

    assert others <= FREE
    assert {"transform.keda", "transform.flower", "transform.disruption_budgets"} <= ours


def test_what_is_not_asked_for_is_not_imported(tmp_path: Path) -> None:
    others, ours = imported(RECOMMENDED.resource_list, tmp_path)

    assert others <= FREE - {"binascii"}
    assert "transform.deployments" in ours
    assert not ours & OPTIONAL
