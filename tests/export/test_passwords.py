"""Passwords in clear text are found in each form that a file of an export, or of a split in env/, may have."""

from __future__ import annotations

import pytest

from kustomizer.export.json_patch import operations
from kustomizer.export.parts import passwords_in_file
from kustomizer.manifests.writer import emit

PASSWORD = {"name": "BROKER_PASSWORD", "value": "wordpass"}
PLAIN = {"name": "BROKER_PASSWORD", "value": "$(FROM_SECRET)"}


def patch(before: object, after: object) -> str:
    return emit(list(operations({"spec": before}, {"spec": after})))


PATCHES = {
    "a new variable": patch({"env": [{"name": "A"}]}, {"env": [{"name": "A"}, PASSWORD]}),
    "the first variable": patch({}, {"env": [PASSWORD]}),
    "another value": patch({"env": [PLAIN]}, {"env": [PASSWORD]}),
    "a setting": patch({"data": {}}, {"data": {"BROKER_PASSWORD": "wordpass"}}),
    "a file of settings": patch({"data": {}}, {"data": {"lms.env.yml": "A: 1\nBROKER_PASSWORD: wordpass\n"}}),
    "an option": patch({"args": ["a"]}, {"args": ["a", "--BROKER_PASSWORD=wordpass"]}),
}


@pytest.mark.parametrize("text", PATCHES.values(), ids=PATCHES)
@pytest.mark.parametrize("is_transformer", [False, True])
def test_a_patch_that_holds_a_password(text: str, is_transformer: bool) -> None:
    if is_transformer:
        text = emit({"apiVersion": "builtin", "kind": "PatchTransformer", "metadata": {"name": "a"}, "patch": text})
    assert passwords_in_file("patches/a.yaml", text) == ["BROKER_PASSWORD"]
    assert passwords_in_file("patches/a.yaml", text.replace("wordpass", "$(FROM_SECRET)")) == []
