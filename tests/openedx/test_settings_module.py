"""What the settings module says, by running it in a directory as a kubelet lays a projected volume out."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given, strategies as st

from kustomizer.manifests.resource import Resource
from kustomizer.manifests.writer import emit
from kustomizer.openedx.settings_module import CelerySettings, SettingsFile, config_map, render, settings_file

if TYPE_CHECKING:
    from collections.abc import Mapping

LMS = SettingsFile(service="lms", module="lms.envs.tutor.production")

HOSTILE = [
    "'", '"', "'''", '"""', "\\", "\\'", "{", "}", "{}", "{0}", "%s", "\n", "\r\n", "\x00", "\x1b", "\x85", "\u2028",
    "\u202e", "\xe9", "\U0001f4a5", "'}; import os; os.abort(); {'", '"}\nimport os; os.abort()\n{"', "#",
    "\\N{BULLET}", "$(HOME)", "",
]  # fmt: skip
names = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"])))


def mounted(directory: Path, files: Mapping[str, str]) -> None:
    """Lay files out as a kubelet does: symbolic links to a directory that is itself behind one."""
    real = directory / "..2026_01_01_00_00_00.1234567890"
    real.mkdir()
    (directory / "..data").symlink_to(real.name)
    for name, text in files.items():
        (real / name).write_text(text, encoding="utf-8", newline="")
        (directory / name).symlink_to(f"..data/{name}")


def loaded(ours: str, tutors: str = "", *, file: SettingsFile = LMS) -> dict[str, Any]:
    """Return the globals of our module, imported with Tutor's beside it."""
    with TemporaryDirectory() as scratch:
        directory = Path(scratch)
        mounted(directory, {file.name: ours, f"tutor_{file.name}": tutors})
        path = directory / file.name
        namespace: dict[str, Any] = {"__name__": file.module, "__file__": str(path)}
        sys.dont_write_bytecode = True
        exec(compile(path.read_bytes(), str(path), "exec"), namespace)  # noqa: S102 - that is the test
        return namespace


def test_without_anything_it_is_tutors() -> None:
    got = loaded(render(LMS, routing={}, worker=None), "DEBUG = False\nFILE = __file__\nNAME = __name__\n")

    assert got["DEBUG"] is False
    assert got["NAME"] == LMS.module
    assert Path(got["FILE"]).name == "production.py"
    assert {key for key in got if key.isupper()} == {"DEBUG", "FILE", "NAME"}


@given(st.dictionaries(names, names, max_size=5))
@example(dict(zip(HOSTILE, reversed(HOSTILE), strict=True)))
def test_no_task_or_queue_name_breaks_out_of_its_literal(routing: dict[str, str]) -> None:
    text = render(LMS, routing=routing, worker=None)

    # Through the ConfigMap, too, whose text another reader of YAML takes apart.
    owner = Resource.new({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}, indent=0)
    tree = config_map("ours", LMS, text, owner=owner, annotations={}).tree
    assert yaml.safe_load(emit(tree))["data"] == {"production.py": text}
    expected = {task: {"queue": queue} for task, queue in routing.items()}
    assert loaded(text).get("EXPLICIT_QUEUES", {}) == expected
    # Nothing runs in it but what runs for the most harmless name.
    plain = render(LMS, routing=dict.fromkeys(map(str, range(len(routing))), "queue"), worker=None)
    assert shape(text) == shape(plain)


def shape(text: str) -> list[str]:
    """Return the statements of a program and the nodes in them, without the values of its constants."""
    return [type(node).__name__ for statement in ast.parse(text).body for node in ast.walk(statement)]


@pytest.mark.parametrize("before", ["EXPLICIT_QUEUES = {}\n", "EXPLICIT_QUEUES = None\n", ""])
def test_routing_where_tutor_has_none(before: str) -> None:
    assert loaded(render(LMS, routing={"a.task": "queue"}, worker=None), before)["EXPLICIT_QUEUES"] == {
        "a.task": {"queue": "queue"}
    }


def test_routing_extends_and_overrides_what_tutor_has() -> None:
    before = (
        "EXPLICIT_QUEUES = {'kept': {'queue': 'a', 'priority': 3}, 'changed': {'queue': 'b'}}\nOLD = EXPLICIT_QUEUES"
    )
    got = loaded(render(LMS, routing={"changed": "c", "new": "d"}, worker=None), before)

    assert got["EXPLICIT_QUEUES"] == {
        "kept": {"queue": "a", "priority": 3},
        "changed": {"queue": "c"},
        "new": {"queue": "d"},
    }
    assert got["OLD"]["changed"] == {"queue": "b"}


def test_worker_keeps_the_transport_options_that_it_does_not_set() -> None:
    worker = CelerySettings(unacked_suffix=".lms-worker-high", visibility_timeout=7200)
    before = (
        "BROKER_TRANSPORT_OPTIONS = {'global_keyprefix': 'edx', 'visibility_timeout': 60}\nCELERY_ACKS_LATE = False\n"
    )

    got = loaded(render(LMS, routing={}, worker=worker), before)

    assert got["CELERY_ACKS_LATE"] is True
    assert got["BROKER_TRANSPORT_OPTIONS"] == {
        "global_keyprefix": "edx",
        "unacked_key": "unacked.lms-worker-high",
        "unacked_index_key": "unacked_index.lms-worker-high",
        "unacked_mutex_key": "unacked_mutex.lms-worker-high",
        "visibility_timeout": 7200,
    }


def test_default_worker_keeps_celerys_own_keys() -> None:
    got = loaded(render(LMS, routing={}, worker=CelerySettings()))

    assert got["CELERY_ACKS_LATE"] is True
    assert "BROKER_TRANSPORT_OPTIONS" not in got
    assert not {"CELERY_REJECT_ON_WORKER_LOST", "CELERYD_SOFT_SHUTDOWN_TIMEOUT"} & set(got)


def test_settings_of_celery_for_all_workers() -> None:
    got = loaded(render(LMS, routing={}, worker=CelerySettings(reject_on_worker_lost=False, soft_shutdown_timeout=30)))

    assert got["CELERY_REJECT_ON_WORKER_LOST"] is False
    assert got["CELERYD_SOFT_SHUTDOWN_TIMEOUT"] == 30


def test_tutors_features_see_this_modules_names() -> None:
    """Tutor 22 has a FEATURES that looks settings up where it was made: what we set has to be there."""
    tutors = (
        "class FeaturesProxy:\n"
        "    def __init__(self, namespace): self.namespace = namespace\n"
        "    def __getitem__(self, key): return self.namespace[key]\n"
        "FEATURES = FeaturesProxy(globals())\n"
        "ENABLE_X = True\n"
    )
    got = loaded(render(LMS, routing={}, worker=CelerySettings()), tutors)

    assert got["FEATURES"].namespace is got
    assert got["FEATURES"]["ENABLE_X"] is True
    assert got["FEATURES"]["CELERY_ACKS_LATE"] is True


def test_errors_in_tutors_file_name_it() -> None:
    with pytest.raises(SyntaxError) as caught:
        loaded(render(LMS, routing={}, worker=None), "1 = 2\n")

    assert str(caught.value.filename).endswith("/tutor_production.py")


def test_module_decides_the_files_name() -> None:
    site = settings_file("lms", {"lms": "lms.envs.tutor.site"})

    assert (site.module, site.name) == ("lms.envs.tutor.site", "site.py")
    assert loaded(render(site, routing={"a": "b"}, worker=None), "X = 1\n", file=site)["X"] == 1
    assert settings_file("cms", {"lms": "lms.envs.tutor.site"}).module == "cms.envs.tutor.production"


def test_only_a_workers_settings_look_at_signals() -> None:
    text = render(LMS, routing={"a.task": "queue"}, worker=CelerySettings())

    before_tutors = text.partition("exec(")[0]
    assert "_signal.SIGTERM" in before_tutors
    assert "signal" not in text.removeprefix(before_tutors)
    assert "signal" not in render(LMS, routing={"a.task": "queue"}, worker=None)


def test_config_map_belongs_to_the_site() -> None:
    owner = Resource.new(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "lms-worker",
                "namespace": "openedx",
                "labels": {"app.kubernetes.io/part-of": "openedx", "mine": "no"},
                "annotations": {"app.kubernetes.io/version": "22.0.3", "kustomize.config.k8s.io/id": "x"},
            },
        },
        indent=2,
    )
    made = config_map("ours", LMS, "text", owner=owner, annotations={"keep": "me"})

    assert made.indent == 2
    assert made.tree == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "ours",
            "namespace": "openedx",
            "labels": {"app.kubernetes.io/part-of": "openedx"},
            "annotations": {
                "app.kubernetes.io/version": "22.0.3",
                "keep": "me",
                "internal.config.kubernetes.io/needsHashSuffix": "enabled",
            },
        },
        "data": {"production.py": "text"},
    }
