"""The suffix computed here is the one that kustomize computes."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.manifests.name_hashes import is_kustomizes, stem_of, suffixes
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.tree import plain_value
from tests import sites

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds

ODD = {
    "html": "<a href='?b&c'>\u2028 \u2029 \\ \" \u00a0 \ufeff</a>\n",
    "control": "bell \a escape \x1b vertical \v tab \t return \r end",
    "short-escapes": "back \b form \f",
    "far": "\U0001f600 \ue000 \ufffd \ud7ff",
    "long": "word " * 60,
    "ends": "\n\n text \n\n",
    "empty": "",
    "number": "12",
    "truth": "true",
    "nothing": "null",
    "equals": "=",
    "merge": "<<",
    "a.Key-with_all.kinds": "1",
}
BINARY = b"\xff\xfe\x00 not UTF-8 \xc3\x28" * 20


def generated(output: bytes) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return by kind and stem the suffix and the tree of what has one."""
    found = {}
    for resource in read_stream(output, b"{}\n").resources:
        stem = stem_of(resource.name)
        if stem != resource.name:
            found[f"{resource.kind} {stem}"] = (resource.name[len(stem) + 1 :], plain_value(resource.tree))
    return found


def build(kustomize: Path, directory: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    done = subprocess.run([kustomize, "build", directory], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return generated(done.stdout)


@pytest.mark.parametrize("site", sites.SITES)
def test_every_generated_object_of_a_site_is_proven(site: str, builds: Builds) -> None:
    found = generated(builds.plain(sites.site(site)).stdout)
    assert len(found) > 2
    assert [name for name, (suffix, tree) in found.items() if not is_kustomizes(suffix, tree)] == []


def test_what_the_function_adds_is_proven(builds: Builds) -> None:
    found = generated(builds.through_exec(sites.site("22")).stdout)
    assert any("workers" in name or "queues" in name or "celery" in name for name in found), list(found)
    assert [name for name, (suffix, tree) in found.items() if not is_kustomizes(suffix, tree)] == []


def test_odd_characters_and_binary_files(tmp_path: Path, any_kustomize: Path) -> None:
    for name, text in ODD.items():
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "binary").write_bytes(BINARY)
    lines = []
    for kind in ("configMapGenerator", "secretGenerator"):
        lines.append(f"{kind}:")
        for name in (*ODD, "binary"):
            lines.append(f"- {{name: {name.lower().replace('_', '-')}, files: [{name}]}}")
        lines.append(f"- {{name: all, files: [{', '.join((*ODD, 'binary'))}]}}")
        lines.append("- {name: nothing-at-all}")
    lines.append("- {name: typed, type: kubernetes.io/basic-auth, literals: [username=a, 'password=<&>']}")
    (tmp_path / "kustomization.yaml").write_text("\n".join(lines))
    found = build(any_kustomize, tmp_path)
    assert len(found) == 2 * (len(ODD) + 3) + 1
    assert [name for name, (suffix, tree) in found.items() if not is_kustomizes(suffix, tree)] == []


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "data: {}",
        "data: {a: ''}",
        "data:",
        "binaryData: {}",
        "binaryData: {b: /w==}",
        "data: {a: x}\nbinaryData:",
        "immutable: true\ndata: {B: x, a: y, '1': z, é: ü, '\\uE000': '\\uFFFD'}",
        "stringData: {a: '<'}",
        "type: Opaque",
        "type: ''\ndata: {a: eA==}\nstringData: {}",
        "data: {a: null}",
    ],
)
@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_fields_that_are_empty_missing_or_null(kind: str, fields: str, tmp_path: Path, any_kustomize: Path) -> None:
    (tmp_path / "object.yaml").write_text(
        f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: it\n  labels: {{a: b}}\n"
        f"  annotations: {{internal.config.kubernetes.io/needsHashSuffix: enabled}}\n{fields}\n"
    )
    (tmp_path / "kustomization.yaml").write_text("resources: [object.yaml]\n")
    ((suffix, tree),) = build(any_kustomize, tmp_path).values()
    assert is_kustomizes(suffix, tree)


def test_a_next_line_character_that_kustomize_writes_bare_proves_nothing(tmp_path: Path, kustomize: Path) -> None:
    # It is a line break to whoever reads the build, kubectl too: what was hashed isn't what is there.
    (tmp_path / "a").write_text("a\u0085b")
    (tmp_path / "kustomization.yaml").write_text("configMapGenerator: [{name: it, files: [a]}]\n")
    ((suffix, tree),) = build(kustomize, tmp_path).values()
    assert tree["data"] == {"a": "a b"}
    assert not is_kustomizes(suffix, tree)


def test_another_value_has_another_suffix() -> None:
    first = suffixes({"kind": "ConfigMap", "data": {"a": "1"}})
    assert len(first) == 1
    assert first != suffixes({"kind": "ConfigMap", "data": {"a": "2"}})
    assert first != suffixes({"kind": "Secret", "data": {"a": "1"}})
    assert not is_kustomizes("2456789bcd", {"kind": "ConfigMap", "data": {"a": "1"}})


@pytest.mark.parametrize("data", [{"a": 1}, {"a": 1.5}, {"a": True}, ["a"], {"a": "\ud800"}])
def test_what_no_config_map_holds_proves_nothing(data: Any) -> None:
    assert suffixes({"kind": "ConfigMap", "data": data}) == ()
    assert suffixes({"kind": "Deployment", "data": {}}) == ()


@pytest.mark.parametrize("mark", ["\b", "\f"])
def test_what_go_escapes_otherwise_since_a_version(mark: str) -> None:
    """Also where nothing else stands beside it."""
    letter = {"\b": "b", "\f": "f"}[mark]
    tree = {"kind": "ConfigMap", "data": {mark: mark}}
    expected = []
    for escape in (f"\\{letter}", f"\\u{ord(mark):04x}"):
        text = f'{{"data":{{"{escape}":"{escape}"}},"kind":"ConfigMap","name":""}}'
        digits = hashlib.sha256(text.encode()).hexdigest()[:10]
        expected.append(digits.translate(str.maketrans("013ae", "ghkmt")))
    assert suffixes(tree) == tuple(expected)
