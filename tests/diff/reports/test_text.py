"""The report for a terminal."""

from __future__ import annotations

import re

import pytest

from kustomizer.diff.model import (
    ADD,
    CHANGE,
    Comparison,
    Hunk,
    ObjectChange,
    SharedChange,
    TextChange,
    ValueChange,
)
from kustomizer.diff.reports.text import text_report
from kustomizer.findings.ignores import Ignored
from tests.diff.reports.samples import APPS, CONFIG, RICH, VERSION, deployment

HEADER = ("overlays/production: main → the working tree; env/ from the working tree for both",)


def changed(*changes: ValueChange | TextChange) -> Comparison:
    return Comparison(objects=(ObjectChange(action=CHANGE, id=CONFIG, api_version=("v1", "v1"), changes=changes),))


def test_everything_that_a_comparison_holds() -> None:
    assert (
        text_report(RICH, header=HEADER)
        == """\
overlays/production: main → the working tree; env/ from the working tree for
  both

error: queue-without-consumer
  Deployment lms-worker-high-mem in namespace openedx:
    spec.template.spec.containers[lms-worker-high-mem].args
    nobody takes edx.lms.core.high_mem any longer, so its tasks wait for ever
  Remedy: Let another worker take the queue before this one goes.

warning: image-changed
    cms gets another image

info: restarts
    lms restarts

app.kubernetes.io/version: 21.0.0 → 22.0.3, on 2 objects
    Deployment: lms-worker, smtp
ConfigMap openedx-config changed; rolls lms, cms and 4 workers
ignored: 2 changes and 1 finding: Tutor draws a new one each time

   QUEUE              WORKER           BEFORE    AFTER
-  edx.lms.core.high  lms-worker       1, fixed  -
+  edx.lms.core.high  lms-worker-high  -         KEDA 0-5; 1 per 40 queued; in
                                                 flight: Zero; 3600s grace
In flight: Zero keeps the last pod while a task runs.

- Deployment openedx/lms-worker-high-mem: docker.io/overhangio/openedx

-/+ Job openedx/lms-job is refused unless it is deleted first
  ~ spec.template.spec.containers[lms].image: openedx:21 → openedx:22

~ ConfigMap openedx/openedx-config
    data["lms.env.yml"]
      @@ -3,3 +3,3 @@
       CELERY_BROKER_VHOST: "0"
      -CELERY_BROKER_PASSWORD: (secret)
      +CELERY_BROKER_PASSWORD: (secret, changed)

      + a newline at the end of the text

~ Deployment openedx/lms-worker
  ~ apiVersion: apps/v1beta1 → apps/v1
  ~ spec.replicas: 1 → "1"
    spec.strategy
      - type: Recreate
    spec.template.spec.containers[lms-worker].args
        no longer takes edx.lms.core.high
        --concurrency: 2, was 1
    spec.template.spec.containers[lms-worker].resources
      + limits:
      +   cpu: '2'
      +   memory: '4Gi'
  ~ spec.template.spec.containers[lms-worker].env: another order: A, B

+ Deployment openedx/lms-worker-high: takes edx.lms.core.high; KEDA 0-5
+ ScaledObject openedx/lms-worker-high-scaledobject: scales lms-worker-high from
  0 to 5

2 add, 3 change, 1 replace, 1 destroy; 1 error, 1 warning, 1 info; 3 ignored
"""
    )


def test_nothing_is_said_in_two_lines() -> None:
    assert text_report(Comparison(objects=())) == "Nothing changes.\n\n0 add, 0 change, 0 replace, 0 destroy\n"


def test_what_is_ignored_is_counted_where_nothing_else_changes() -> None:
    anew = Ignored(reason="drawn anew", changes=3, findings=2, errors=1)
    comparison = Comparison(objects=(), ignored=(anew, Ignored(reason="old", is_stale=True)))
    assert text_report(comparison) == (
        "Nothing changes.\nignored: 3 changes and 1 error and 1 finding: drawn anew\n"
        "ignored: nothing any more, take the entry out: old\n\n"
        "0 add, 0 change, 0 replace, 0 destroy; 5 ignored\n"
    )


def test_colour_only_when_asked() -> None:
    coloured = text_report(RICH, colour=True)
    assert "\x1b[31m-  edx.lms.core.high  lms-worker       1, fixed  -\x1b[0m\n\x1b[32m+  edx" in coloured
    assert "\x1b[32m                                                 flight: Zero; 3600s grace\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text_report(RICH)


def test_a_narrow_terminal_gets_no_columns_of_a_word() -> None:
    text = text_report(RICH, width=60, colour=True)
    assert "\n\x1b[31m- edx.lms.core.high by lms-worker\x1b[0m\n\x1b[31m    before: 1, fixed\x1b[0m\n" in text
    assert "\x1b[32m    after:  KEDA 0-5; 1 per 40 queued; in flight: Zero;\x1b[0m\n" in text
    assert "BEFORE" not in text


def test_full_shows_objects_and_values_whole() -> None:
    text = text_report(RICH, full=True)
    assert "    - kind: Deployment\n    - metadata:\n    -   name: lms-worker-high-mem\n" in text
    assert "    +   minReplicaCount: 0\n" in text
    assert "      - --queues=edx.lms.core.default,edx.lms.core.high\n" in text


@pytest.mark.parametrize("full", [False, True])
def test_a_long_value_is_cut_unless_everything_is_asked_for(full: bool) -> None:
    comparison = changed(ValueChange(path=("data", "file"), after="".join(f"{number}\n" for number in range(40))))
    text = text_report(comparison, full=full)
    assert ("+ 39\n" in text) == full
    assert ("+ ... 28 more lines\n" in text) == (not full)


def test_objects_that_change_only_as_others_do_are_told_of_once() -> None:
    objects = tuple(
        ObjectChange(action=CHANGE, id=deployment(f"app-{number}"), api_version=APPS, changes=(VERSION,))
        for number in range(48)
    )
    found = Comparison(
        objects=objects, groups=(SharedChange(change=VERSION, objects=tuple(each.id for each in objects)),)
    )
    text = text_report(found)
    assert "app.kubernetes.io/version: 21.0.0 → 22.0.3, on 48 objects\n    Deployment 48\n" in text
    assert "app-7" not in text
    assert text_report(found, full=True).count("app-7") == 1
    assert text.endswith("\n\n0 add, 48 change, 0 replace, 0 destroy\n")


def test_no_character_of_a_manifest_reaches_the_terminal() -> None:
    odd = "a\x1b[2J\u202e\ud800\x00\x85 "
    hunk = Hunk(before=1, after=1, lines=(f"-{odd}", f"+{odd}x", "  "))
    identity = CONFIG.replace(name=odd, namespace=odd, kind=odd)
    comparison = Comparison(
        objects=(
            ObjectChange(
                action=CHANGE,
                id=identity,
                api_version=("v1", odd),
                changes=(
                    TextChange(path=("data", odd), hunks=(hunk,), newline_at_end=(True, True)),
                    ValueChange(path=(odd,), before=odd, after={odd: odd}),
                ),
            ),
            ObjectChange(action=ADD, id=identity, api_version=("", odd), tree={odd: [odd]}),
        ),
        ignored=(Ignored(reason=odd, changes=1),),
    )
    text = text_report(comparison, header=(odd,), full=True)
    assert all(line.isprintable() for line in text.split("\n"))
    assert not re.search(" $", text, flags=re.MULTILINE)
    text.encode()


def test_lines_that_stand_elsewhere_already_are_referred_to() -> None:
    first = Hunk(before=1, after=1, lines=("-a", "+b"))
    second = Hunk(before=7, after=7, lines=("-a", "+b"))
    comparison = changed(
        TextChange(path=("data", "development.py"), hunks=(first, second), newline_at_end=(True, True)),
        TextChange(path=("data", "production.py"), hunks=(second,), newline_at_end=(True, True)),
    )
    assert (
        text_report(comparison).split("\n\n")[0]
        == """\
~ ConfigMap openedx/openedx-config
    data["development.py"]
      @@ -1,1 +1,1 @@
      -a
      +b
      @@ -7,1 +7,1 @@
      -a
      +b
    data["production.py"]
      @@ -7,1 +7,1 @@ as in openedx-config data["development.py"]"""
    )
    assert "as in" not in text_report(comparison, full=True)


def test_the_version_of_an_object_is_told_from_that_of_its_pods() -> None:
    change = VERSION.replace(path=("spec", "template", *VERSION.path))
    text = text_report(Comparison(objects=(), groups=(SharedChange(change=change, objects=(CONFIG, CONFIG)),)))
    assert "app.kubernetes.io/version of its pods: 21.0.0 → 22.0.3, on 2 objects\n" in text


def test_generated_objects_that_restart_the_same_pods_are_told_of_together() -> None:
    renaming = RICH.renamings[0]
    others = [
        renaming.replace(id=CONFIG.replace(name=name)) for name in ("openedx-settings-cms", "openedx-settings-lms")
    ]
    text = text_report(RICH.replace(renamings=(renaming, *others)))
    assert (
        """
ConfigMaps openedx-config, openedx-settings-cms and openedx-settings-lms
  changed; rolls lms, cms and 4 workers
"""
        in text
    )
