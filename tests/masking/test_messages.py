"""What other programs say is passed on without the secrets in it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.plain_build import build_tutors
from kustomizer.masking.messages import without_secrets
from tests import growth, sites

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2Sesame9"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            '{"kind":"Secret", "stringData":map[interface {}]interface {}{"a":"@@", 1:"y"}}: no',
            '{"kind":"Secret", "stringData":map[interface {}]interface {}{#}}: no',
        ),
        (
            "map[apiVersion:v1 data:map[zendesk:@@ b:c] kind:Secret] fails",
            "map[apiVersion:v1 data:map[#] kind:Secret] fails",
        ),
        (
            '{"kind":"Secret","data":{"a":"}@@"},"type":"Opaque"} fails',
            '{"kind":"Secret","data":{#},"type":"Opaque"} fails',
        ),
        (
            "[kind: Secret\nstringData:\n  a: @@\n  b: c\ntype: x] fails",
            "[kind: Secret\nstringData:\n  #\ntype: x] fails",
        ),
        ('"data":{"a.yml":"x: y\\npassword: @@\\nb: c"}', '"data":{"a.yml":"x: y\\npassword: #\\nb: c"}'),
        ("fatal: unable to access 'https://me:@@@host/x'", "fatal: unable to access 'https://me:#@host/x'"),
        ('kind: Secret {"data":{"a":"@@', 'kind: Secret {"data":{#'),
    ],
)
def test_secrets_are_masked(text: str, left: str) -> None:
    assert without_secrets(text.replace("@@", SECRET)) == left.replace("#", "(secret)")


def test_what_is_no_secret_stays() -> None:
    text = 'no resource matches strategic merge patch "Deployment.v1.apps/smtp.[noNs]": no matches for Id'
    assert without_secrets(text) == text


@pytest.mark.parametrize("text", ["kind: Secret data: {", 'Secret "data":{"a":"', "Secret stringData:\n  a: b\n"])
def test_the_time_grows_with_the_length(text: str) -> None:
    assert growth.factor(lambda size: without_secrets(text * (size // len(text))), 8_000, 64_000) < 24


@pytest.mark.parametrize("version", [sites.NEWEST, sites.OLDEST])
def test_kustomizes_error_with_a_whole_secret(tmp_path: Path, version: str) -> None:
    (tmp_path / "secret.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  zendesk: {SECRET}\n  1: y\n"
    )
    (tmp_path / "kustomization.yml").write_text("resources: [secret.yaml]\n")
    kustomize = Kustomize(path=str(sites.kustomize(version)), version=version)
    shown = subprocess.run([kustomize.path, "build", tmp_path], capture_output=True, text=True, check=False)
    assert SECRET in shown.stderr
    with pytest.raises(UserError) as raised:
        build_tutors(tmp_path, kustomize)
    assert SECRET not in str(raised.value)
    assert "unsupported type" in str(raised.value)
