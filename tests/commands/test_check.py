"""`tutor-kustomizer check`: what it finds in real sites, its forms of output, its exit statuses."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from rule_pages import DIRECTORY, pages

from kustomizer.cli import main
from kustomizer.rules.registry import RULES
from tests import sites
from tests.builds import PLUGIN_HOME, Builds, stem
from tests.checkout import copy_checkout
from tests.rules.small_site import deployment, resource, split_site, worker

OVERLAYS = sorted(path.parent.name for path in sites.ROOT.glob("overlays/*/kustomization.yaml"))
TUTORS_OWN = {"clear-text-password", "function-skipped", "grace-period"}
BROKEN = worker("lms-worker", "edx.lms.core.default", grace=None)
"""A worker with one finding, a warning."""
FORMS = ("text", "json", "sarif", "github")


def check(*arguments: str | Path, columns: int = 80) -> Result:
    runner = CliRunner(env={"COLUMNS": str(columns)})
    return runner.invoke(main, ["check", *map(str, arguments)])


def findings(*arguments: str | Path) -> list[dict[str, Any]]:
    result = check(*arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["findings"]
    assert isinstance(found, list)
    return found


def rules(found: list[dict[str, Any]], *severities: str) -> set[str]:
    return {each["rule"] for each in found if not severities or each["severity"] in severities}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a file that was built, with one warning."""
    path = tmp_path / "built.yaml"
    path.write_text("---\n".join(split_site(lms_worker=BROKEN)))
    return path


SCRIPTS = {"aspects-migrations-alembic", "aspects-scripts", "superset-docker"}
"""ConfigMaps of Tutor's plugins that Flux's substitution would change."""


@pytest.fixture(scope="module")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return our overlays over two sites."""
    found = {}
    for name in ("22", "full"):
        root = found[name] = tmp_path_factory.mktemp(f"site-{name}")
        copy_checkout(root)
        (root / "tutor").symlink_to(sites.site(name).parent)
        (root / ".venv").symlink_to(sys.prefix)
    return found


@pytest.mark.parametrize(
    ("site", "overlay"), [*(("22", overlay) for overlay in OVERLAYS), ("full", "multiqueue"), ("full", "monitoring")]
)
def test_our_overlays_have_nothing_to_mend(
    site: str, overlay: str, overlays: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but what Tutor itself writes, and a Secret that is made in the cluster."""
    monkeypatch.setenv("KUSTOMIZE_PLUGIN_HOME", str(PLUGIN_HOME))
    found = findings(overlays[site] / "overlays" / overlay, "--flux", "--kustomize", sites.kustomize(sites.NEWEST))
    substituted = [each for each in found if each["rule"] == "flux-substitution"]
    assert {stem(each["resource"]["name"]) for each in substituted} == (SCRIPTS if site == "full" else set())
    found = [each for each in found if each not in substituted]
    # The full site's plugins add autoscalers of Tutor's workers, which the copies don't have.
    assert rules(found, "error", "warning") <= ({"function-warning"} if site == "full" else set())
    assert rules(found) <= {"clear-text-password", "missing-object", "function-warning"}


@pytest.mark.parametrize("name", ["16", "18", "22", "full"])
def test_tutors_own_build(name: str, builds: Builds, tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_bytes(builds.plain(sites.site(name)).stdout)
    found = findings(tmp_path / "built.yaml")
    assert rules(found) == TUTORS_OWN
    assert rules(found, "error") == set()
    assert rules(found, "warning") == {"function-skipped", "grace-period"}


@pytest.mark.parametrize("name", ["16", "18", "22", "full"])
def test_the_recommended_configuration(name: str, builds: Builds, tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_bytes(builds.through_exec(sites.site(name)).stdout)
    assert rules(findings(tmp_path / "built.yaml")) == {"clear-text-password"}


def test_tutor_contrib_celery(builds: Builds, tmp_path: Path) -> None:
    """The known shortcomings of its output, as far as rules are about them."""
    workers = """
for service, variants in (("lms", ("high", "high_mem")), ("cms", ("high",))):
    workers_config[service]["default"]["enable_keda"] = True
    for variant in variants:
        workers_config[service][variant] = {"enable_keda": True}
"""
    settings = {
        "CELERY_FLOWER": "true",
        "CELERY_FLOWER_EXPOSE_SERVICE": "true",
        "CELERY_FLOWER_BASIC_AUTH": "operator:fl0wer-canary",
        "REDIS_PASSWORD": "r3dis-canary",
        "CELERY_LMS_EXPLICIT_QUEUES": "{a.task: {queue: edx.lms.core.nobody}}",
    }

    def render(directory: Path) -> None:
        sites.render_oracle(directory, workers, settings)
        shutil.rmtree(directory / "oracle" / "plugins")

    env = builds.once("oracle-check", render) / "oracle" / "env"
    path = tmp_path / "built.yaml"
    path.write_bytes(builds.plain(env).stdout)
    assert b"canary" in path.read_bytes()

    found = findings(path)
    assert rules(found, "error") == {"clear-text-password", "orphaned-queue", "scale-to-zero"}
    assert rules(found, "warning") == {"grace-period"}
    orphans = {each["message"].split(", and no")[0] for each in found if each["rule"] == "orphaned-queue"}
    assert orphans == {"a.task is routed to edx.lms.core.nobody", "cms sends tasks to edx.cms.core.low"}
    scaled = [each["resource"]["name"] for each in found if each["rule"] == "scale-to-zero"]
    assert len(scaled) == 5
    for form in FORMS:
        assert "canary" not in check(path, "-o", form).output


def test_no_password_of_a_site_is_printed(builds: Builds, tmp_path: Path) -> None:
    config = yaml.safe_load((sites.site("full").parent / "config.yml").read_text())
    names = re.compile(r"PASSWORD|SECRET|TOKEN|API_KEY|MASTER_KEY")
    secrets = [value for key, value in config.items() if names.search(key) and isinstance(value, str) and value]
    assert len(secrets) > 20
    path = tmp_path / "built.yaml"
    path.write_bytes(builds.plain(sites.site("full")).stdout)
    for form in FORMS:
        output = check(path, "-o", form).output
        assert not [secret for secret in secrets if len(secret) > 6 and secret in output]


FAULTS = {
    "namespace: moved": {("error", "broker-address")},
    """
replicas: [{name: lms-worker-high, count: 3}]
images: [{name: docker.io/overhangio/openedx, newTag: other}]
""": {("warning", "replicas-beside-autoscaler")},
    """
patches:
- target: {kind: Deployment, name: cms-worker-low}
  patch: |
    - {op: add, path: /spec/template/metadata/labels/team, value: a}
    - {op: add, path: /spec/selector/matchLabels/team, value: a}
    - {op: replace, path: /spec/template/spec/containers/0/image, value: old}
    - {op: remove, path: /spec/template/spec/terminationGracePeriodSeconds}
- target: {kind: ScaledObject, name: lms-worker-high-scaledobject}
  patch: |
    - {op: replace, path: /spec/minReplicaCount, value: 0}
    - {op: remove, path: /spec/triggers/1}
- target: {kind: Deployment, name: lms-worker-high-mem}
  patch: "{$patch: delete, apiVersion: apps/v1, kind: Deployment, metadata: {name: any}}"
""": {
        ("error", "missing-target"),
        ("error", "orphaned-queue"),
        ("error", "scale-to-zero"),
        ("warning", "changed-selector"),
        ("warning", "differing-images"),
        ("warning", "grace-period"),
    },
}


@pytest.mark.parametrize("patches", FAULTS)
def test_what_outer_kustomizations_break(patches: str, overlays: dict[str, Path], tmp_path: Path) -> None:
    directory = overlays["22"] / tmp_path.name
    directory.mkdir()
    (directory / "kustomization.yaml").write_text(f"resources: [../overlays/autoscaling]\n{patches}")
    found = findings(directory, "--kustomize", sites.kustomize(sites.NEWEST))
    assert {(each["severity"], each["rule"]) for each in found if each["severity"] != "info"} == FAULTS[patches]


def test_a_secret_that_kustomize_renamed(tmp_path: Path) -> None:
    """kustomize rewrites references in what it knows, and a TriggerAuthentication isn't that."""
    authentication = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": {"name": "broker"},
        "spec": {"secretTargetRef": [{"parameter": "password", "name": "broker", "key": "password"}]},
    }
    (tmp_path / "authentication.yaml").write_text(json.dumps(authentication))
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [authentication.yaml]\nsecretGenerator: [{name: broker, literals: [password=x]}]\n"
    )
    (finding,) = findings(tmp_path, "--kustomize", sites.kustomize(sites.NEWEST))
    assert (finding["severity"], finding["rule"]) == ("error", "missing-object")
    assert re.search("kustomize called that broker-[a-z0-9]{10}$", finding["message"])


def test_an_overlay_that_is_built_without_the_function_has_findings() -> None:
    found = findings(sites.site("22"), "--kustomize", sites.kustomize(sites.NEWEST))
    assert rules(found) == TUTORS_OWN


def test_the_text_says_what_where_and_how_to_mend_it(built: Path) -> None:
    assert check(built).stdout.splitlines() == [
        "warning: grace-period",
        "  Deployment lms-worker in namespace openedx:",
        "    spec.template.spec.terminationGracePeriodSeconds",
        "    pods get Kubernetes' default of 30 s to finish: a rollout or a drained node",
        "      kills longer tasks in the middle",
        "  Remedy: Set terminationGracePeriodSeconds to what the queue's longest task",
        "    needs.",
        "",
        "0 errors, 1 warning, 0 info",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_the_terminal(columns: int, builds: Builds, tmp_path: Path) -> None:
    path = tmp_path / "built.yaml"
    path.write_bytes(builds.plain(sites.site("full")).stdout)
    lines = check(path, columns=columns).stdout.splitlines()
    # A field's path has no place to break it.
    assert max(len(line) for line in lines if "spec." not in line) <= columns
    assert columns < 80 or max(map(len, lines)) <= columns


def test_nothing_found(tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_text("---\n".join(split_site()))
    assert check(tmp_path / "built.yaml").stdout == "No findings.\n"
    assert check(tmp_path / "built.yaml", "-o", "github").stdout == ""
    assert findings(tmp_path / "built.yaml") == []


def test_the_order_of_the_input_does_not_matter(builds: Builds, tmp_path: Path) -> None:
    path = tmp_path / "built.yaml"
    documents = [item.text for item in builds.plain(sites.site("full")).documents]
    path.write_text("---\n".join(documents))
    before = check(path, "-o", "json").stdout
    documents.reverse()
    path.write_text("---\n".join(documents))
    assert check(path, "-o", "json").stdout == before


def test_json_has_a_version_and_counts(built: Path) -> None:
    document = json.loads(check(built, "-o", "json").stdout)
    assert document["version"] == 1
    assert document["summary"] == {"error": 0, "warning": 1, "info": 0}
    (finding,) = document["findings"]
    assert finding["resource"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "openedx",
        "name": "lms-worker",
    }
    assert finding["field"] == "spec.template.spec.terminationGracePeriodSeconds"


def test_sarif(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built.parent)
    log = json.loads(check("built.yaml", "-o", "sarif").stdout)
    schema = json.loads((sites.ROOT / "tests/schemas/sarif-2.1.0-parts.json").read_text())
    jsonschema.validate(log, schema, format_checker=jsonschema.FormatChecker())
    (run,) = log["runs"]
    (result,) = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "grace-period"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "built.yaml"
    line = built.read_text().splitlines()[place["region"]["startLine"] - 1]
    assert json.loads(line)["metadata"]["name"] == "lms-worker"


def test_sarif_of_a_whole_site(builds: Builds, tmp_path: Path) -> None:
    path = tmp_path / "a b.yaml"
    path.write_bytes(builds.plain(sites.site("full")).stdout)
    log = json.loads(check(path, "-o", "sarif").stdout)
    jsonschema.validate(log, json.loads((sites.ROOT / "tests/schemas/sarif-2.1.0-parts.json").read_text()))
    lines = path.read_text().splitlines()
    results = log["runs"][0]["results"]
    assert len({json.dumps(result["partialFingerprints"]) for result in results}) == len(results)
    for result in results:
        place = result["locations"][0]
        assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("a%20b.yaml")
        rest = lines[place["physicalLocation"]["region"]["startLine"] - 1 :]
        assert rest[0].startswith("apiVersion: ")
        assert next(line for line in rest if line.startswith("  name: ")) == (
            f"  name: {place['logicalLocations'][0]['name']}"
        )


def test_github_annotations_are_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "EXPLICIT_QUEUES = {'a.task': {'queue': '100%\\n::stop-commands::x'}}"
    (tmp_path / "a,b:c.yaml").write_text("---\n".join(split_site(text)))
    (line,) = check("a,b:c.yaml", "-o", "github").stdout.splitlines()
    # The second resource, behind a line of dashes.
    assert line.startswith("::error file=a%2Cb%3Ac.yaml,line=3,title=orphaned-queue::ConfigMap ")
    assert "routed to 100%25%0A::stop-commands::x, and no worker" in line


def test_github_annotations_of_an_overlay_name_its_files() -> None:
    result = check(sites.site("22"), "-o", "github", "--kustomize", sites.kustomize(sites.NEWEST))
    places = re.findall(r"^::\w+ file=.*/env/(.*?),line=(\d+),title=([a-z-]+)::", result.stdout, re.MULTILINE)
    assert len(places) == len(result.stdout.splitlines()) > 0
    # ConfigMaps are generated by the kustomization, Deployments are Tutor's.
    assert {path for path, _line, _rule in places} == {"kustomization.yml", "k8s/deployments.yml"}
    assert [rule for *_, rule in places].count("clear-text-password") == 1
    workers = [int(line) for _path, line, rule in places if rule == "function-skipped"]
    lines = (sites.site("22") / "k8s/deployments.yml").read_text().splitlines()
    assert {lines[line - 1 :][3].strip() for line in workers} == {"name: lms-worker", "name: cms-worker"}


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an overlay that the function warns of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{sites.kustomize(sites.NEWEST).parent}:/usr/bin:/bin")
    (tmp_path / "tutor").symlink_to(sites.site("22").parent)
    assert CliRunner().invoke(main, ["init", "overlay", "--tutor-root", "tutor"]).exit_code == 0
    change(tmp_path / "overlay", "unassignedQueues: Error", "unassignedQueues: Ignore")
    change(tmp_path / "overlay", "      low: {}\n", "")
    return tmp_path / "overlay"


def change(overlay: Path, old: str, new: str) -> None:
    path = overlay / "celery-workers.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def line_of(overlay: Path, text: str) -> int:
    lines = (overlay / "celery-workers.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_warnings_of_the_function_are_findings(overlay: Path) -> None:
    change(overlay, "      high: {}\n", "      high: {terminationGracePeriodSeconds: 900}\n")
    result = check(overlay, "--fail-on", "warning", columns=300)
    assert result.exit_code == 3
    # Said once, and what kustomize itself says is passed on.
    assert result.stdout.count("pods of cms-worker-high get 900 s to finish a task") == 1
    assert result.stderr == ""
    assert ("warning", "function-warning") in {(each["severity"], each["rule"]) for each in findings(overlay)}
    (line,) = [each for each in check(overlay, "-o", "github").stdout.splitlines() if "pods of cms-worker-high" in each]
    number = line_of(overlay, "terminationGracePeriodSeconds: 900")
    assert line.startswith(f"::warning file=overlay/celery-workers.yaml,line={number},title=function-warning::")


def test_a_queue_without_a_worker_is_said_once(overlay: Path) -> None:
    """Both the function and a rule know of it."""
    assert check(overlay).stdout.count("edx.cms.core.low,") == 1
    assert {each["rule"] for each in findings(overlay) if "core.low" in each["message"]} == {"orphaned-queue"}


def test_a_refused_build_has_its_reasons_in_every_form(overlay: Path) -> None:
    change(overlay, "inFlight: Slots", "inFlight: Slotz")
    change(overlay, "concurrency: 4", "concurrency: 0")
    text, code = check(overlay), check(overlay, "-o", "github")
    assert (text.exit_code, text.stdout, code.exit_code) == (1, "", 1)
    assert "Did you mean Slots?" in text.stderr
    lines = [line_of(overlay, "concurrency: 0"), line_of(overlay, "Slotz")]
    assert [line.partition(",title")[0] for line in code.stdout.splitlines()] == [
        f"::error file=overlay/celery-workers.yaml,line={line}" for line in lines
    ]
    log = json.loads(check(overlay, "-o", "sarif").stdout)
    jsonschema.validate(log, json.loads((sites.ROOT / "tests/schemas/sarif-2.1.0-parts.json").read_text()))
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == ["refused-build"] * 2
    document = json.loads(check(overlay, "-o", "json").stdout)
    assert [each["field"] for each in document["findings"]] == [
        "spec.defaults.concurrency",
        "spec.workers.lms.high_mem.keda.inFlight",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        (
            "kustomization.yaml",
            "kind: Kustomization",
            "kind: Kustomization\nnamePrefx: a",
            "kustomization.yaml: namePrefx",
        ),
        ("kustomization.yaml", "- guard.yaml", "- nothing.yaml", "kustomization.yaml: - nothing.yaml"),
        ("kustomization.yaml", "resources:", "resources:\n- https://example.com/a", "kustomization.yaml: - https:"),
        ("kustomization.yaml", "- celery-workers.yaml", "", "kustomization.yaml: transformers:"),
        ("kustomization.yaml", "- guard.yaml", "- guard.yaml\n- guard.yaml", "guard.yaml: "),
        ("celery-workers.yaml", "  defaults:", "\tdefaults:", "celery-workers.yaml: "),
        ("celery-workers.yaml", "      high: {}", "      high: [", "celery-workers.yaml: "),
        (
            "celery-workers.yaml",
            "path: tutor-celery-workers",
            "path: ./run.sh",
            "celery-workers.yaml:         path: ./",
        ),
    ],
)
def test_a_refusal_stands_at_the_line_that_caused_it(file: str, old: str, new: str, line: str, overlay: Path) -> None:
    change(overlay, "unassignedQueues: Ignore", "unassignedQueues: KeepOnDefault")
    path = overlay / file
    path.write_text(path.read_text().replace(old, new))
    result = check(overlay, "-o", "github")
    (said,) = result.stdout.splitlines()
    found = re.match(r"::error file=overlay/([^,]+),line=(\d+),title=refused-build::", said)
    assert found, said
    assert f"{found[1]}: {(overlay / found[1]).read_text().splitlines()[int(found[2]) - 1]}".startswith(line)
    # The same in the other forms and of the other command.
    place = json.loads(check(overlay, "-o", "sarif").stdout)["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["region"]["startLine"] == int(found[2])
    compared = CliRunner().invoke(main, ["diff", str(overlay.parent / "tutor" / "env"), str(overlay), "-o", "github"])
    assert said.partition(",title")[0] in compared.stdout


def test_a_directory_without_a_kustomization(overlay: Path) -> None:
    (overlay / "kustomization.yaml").unlink()
    (line,) = check(overlay, "-o", "github").stdout.splitlines()
    assert line.startswith("::error file=overlay/kustomization.yaml,line=1,title=refused-build::")


@pytest.mark.parametrize(("fail_on", "status"), [(None, 0), ("error", 0), ("warning", 3), ("info", 3), ("nonsense", 2)])
def test_exit_status(fail_on: str | None, status: int, built: Path) -> None:
    result = check(built, *(["--fail-on", fail_on] if fail_on else []))
    assert result.exit_code == status
    assert status == 2 or "1 warning" in result.stdout


def test_a_file_that_is_no_build(tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_text("a: [\n")
    result = check(tmp_path / "built.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert check(tmp_path / "nothing.yaml").exit_code == 2


def test_notes_about_what_tutor_writes_are_one_line(builds: Builds, tmp_path: Path) -> None:
    path = tmp_path / "built.yaml"
    path.write_bytes(builds.through_exec(sites.site("full")).stdout)
    notes = [each for each in findings(path) if each["rule"] == "clear-text-password"]
    assert len(notes) > 20
    text = check(path, columns=200).stdout
    assert text.splitlines()[0].startswith(f"info: clear-text-password: {len(notes)} objects (-o json names each). ")
    assert text.count("clear-text-password") == 1
    assert text.endswith(f"\n\n0 errors, 0 warnings, {len(notes)} info\n")
    assert check(path, "-o", "github").stdout.count("\n") == 1


def test_findings_are_set_aside_with_a_reason(tmp_path: Path, built: Path) -> None:
    ignores = tmp_path / "ignores.yaml"
    entry = "{rule: grace-period, resource: Deployment/lms-worker, reason: A night job waits for it.}"
    ignores.write_text(f"ignore: [{entry}]")
    arguments = (built, "--ignore-file", ignores, "--fail-on", "info")
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (0, "No findings.\nignored: 1 finding: A night job waits for it.\n")
    document = json.loads(check(*arguments, "-o", "json").stdout)
    assert (document["findings"], document["summary"]["warning"]) == ([], 0)
    assert document["ignored"] == [
        {"reason": "A night job waits for it.", "changes": 0, "findings": 1, "errors": 0, "stale": False}
    ]
    assert json.loads(check(*arguments, "-o", "sarif").stdout)["runs"][0]["results"] == []
    # What is about changes alone is for `diff`, which reads the same file.
    ignores.write_text(
        "ignore: [{rule: grace-period, resource: Deployment/gone, reason: Old.}, {field: data, reason: All.}]"
    )
    result = check(*arguments)
    assert result.exit_code == 3
    assert result.stdout.endswith("\nignored: nothing any more, take the entry out: Old.\n")


def test_a_rule_for_flux_is_ignored_where_it_is_not_looked_for(tmp_path: Path) -> None:
    site, ignores = tmp_path / "site.yaml", tmp_path / "ignores.yaml"
    site.write_text(resource("ConfigMap", "scripts", data={"run.sh": "exec ${COMMAND}"}))
    assert check(site, "--fail-on", "info").exit_code == 0
    assert check(site, "--fail-on", "info", "--flux").exit_code == 3
    ignores.write_text("ignore: [{rule: flux-substitution, resource: ConfigMap/scripts, reason: Flux knows it.}]")
    assert "ignored: 1 finding: Flux knows it." in check(site, "--flux", "--ignore-file", ignores).stdout
    assert check(site, "--ignore-file", ignores).stdout == "No findings.\n"


def test_an_error_is_set_aside_by_rule_and_object_alone(tmp_path: Path) -> None:
    site, ignores = tmp_path / "site.yaml", tmp_path / "ignores.yaml"
    site.write_text("---\n".join([*split_site(), deployment("a", {}, minReadySeconds=-1)]))
    both = "rule: function-skipped, resource: Deployment/a"
    for entry, status in {"resource: Deployment/a": 3, "rule: function-skipped": 3, both: 0}.items():
        ignores.write_text(f"ignore: [{{{entry}, reason: A trial.}}]")
        assert check(site, "--ignore-file", ignores, "--fail-on", "error").exit_code == status
    assert "\nignored: 1 error: A trial." in check(site, "--ignore-file", ignores).stdout


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_explains_itself(rule: str) -> None:
    page = check("--explain", rule).stdout
    assert page == RULES[rule].page
    assert page.startswith(f"# {rule}\n\n")
    assert RULES[rule].title.endswith(".")
    assert "**What to do:**" in page
    assert re.search(r"\*\*Severity|\*\*error\*\*", page)


def test_each_rule_has_a_module_and_a_test_of_its_name() -> None:
    for rule in RULES:
        name = rule.replace("-", "_")
        assert (sites.ROOT / "kustomizer/rules" / f"{name}.py").is_file()
        assert (sites.ROOT / "tests/rules" / f"test_{name}.py").is_file()
    assert list(RULES) == sorted(RULES)


def test_the_pages_are_what_the_rules_say() -> None:
    written = {path.name: path.read_text() for path in DIRECTORY.iterdir()}
    assert written == pages(), "run `make docs`"
