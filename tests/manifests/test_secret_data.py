"""Values of Secrets have the spelling, and so the name, that kustomize's own generator gives them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from kustomizer.manifests.secret_data import encoded


@pytest.mark.parametrize("length", [1, 50, 51, 52, 53, 104, 105, 106, 200])
def test_encoded_is_what_the_generator_writes(length: int, any_kustomize: Path, tmp_path: Path) -> None:
    value = ("pässword/" * 40)[:length]
    (tmp_path / "secret.env").write_text(f"key={value}\n")
    (tmp_path / "kustomization.yaml").write_text("secretGenerator: [{name: secret, envs: [secret.env]}]\n")
    built = subprocess.run([any_kustomize, "build", tmp_path], capture_output=True, check=True).stdout
    assert yaml.safe_load(built)["data"]["key"] == encoded(value)
