"""An overlay that names another copy of the function by its path builds to the same bytes with the command's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import sites
from tests.builds import environment
from tests.checkout import BUILT, copy_checkout
from tests.kustomize.test_examination import COMMAND

OVERLAYS = sorted(path.parent.name for path in (sites.ROOT / "overlays").glob("*/kustomization.yaml"))
CANARY = "canary"
ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: openedx}\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the repository's overlays, whose function leaves a trace, over a real site."""
    root = tmp_path / "copy"
    copy_checkout(root, BUILT)
    (root / "kustomizer").symlink_to(sites.ROOT / "kustomizer")
    (root / "tutor").mkdir()
    (root / "tutor" / "env").symlink_to(sites.site("22"))
    function = root / "generators" / "celery-workers"
    function.write_text(function.read_text().replace("self=$0\n", f"self=$0\ntouch {tmp_path}/{CANARY}\n"))
    return root


def by_kustomize(overlay: Path, kustomize: Path) -> bytes:
    done = subprocess.run(
        [kustomize, *sites.BUILD, overlay],
        env=environment(overlay, KUSTOMIZE_PLUGIN_HOME=f"{overlay.parent.parent}/generators/plugin"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def by_ours(overlay: Path, kustomize: Path) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, "build", str(overlay), "--kustomize", str(kustomize)]
    env = environment(overlay, PYTHONPATH=str(sites.ROOT))
    return subprocess.run(command, cwd=overlay, env=env, capture_output=True, check=False)


def assert_same(overlay: Path, kustomize: Path) -> None:
    """Build with kustomize alone, which runs the copy's function, and with ours, which doesn't."""
    canary = overlay.parents[2] / CANARY
    expected = by_kustomize(overlay, kustomize)
    assert canary.exists()
    canary.unlink()
    done = by_ours(overlay, kustomize)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout == expected
    assert not canary.exists()


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_overlay_gives_the_same_bytes(name: str, copy: Path, any_kustomize: Path) -> None:
    assert_same(copy / "overlays" / name, any_kustomize)


def test_all_that_an_overlay_names_is_found(copy: Path, kustomize: Path) -> None:
    overlay = copy / "overlays" / "own"
    (overlay / "files" / "deep").mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text(
        "# A comment.\nresources:\n- ../multiqueue\n- things\n- one.yaml\n"
        "transformers:\n- prefix.yaml\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n"
        "  path: files/deep/patch.yaml\n- plugins\n"
        "components: [component]\n"
        "configMapGenerator:\n- name: c\n  files: [a=files/deep/a.txt]\n  envs: [files/e.env]\n"
        "  literals: ['x=|', 'y=# no comment']\n"
        "patches:\n- path: files/patch.yaml\n"
    )
    texts = {
        "one.yaml": ONE,
        "prefix.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: a-\n"
        "fieldSpecs: [{path: metadata/name}]\n",
        "files/deep/a.txt": "text\r\nof\tlines\n",
        "files/e.env": "A=b\n",
        "files/patch.yaml": f"{ONE}data: {{k: v}}\n",
        "files/deep/patch.yaml": f"{ONE}data: {{l: w}}\n",
        "files/third.yaml": f"{ONE}data: {{m: x}}\n",
        "plugins/kustomization.yaml": "resources: [p.yaml]\n",
        "plugins/p.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: q}\npath: files/third.yaml\n",
        "things/kustomization.yaml": "resources: [t.yaml]\n",
        "things/t.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\n",
        "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "nameSuffix: -z\n",
    }
    for name in ("things", "component", "plugins"):
        (overlay / name).mkdir()
    for name, text in texts.items():
        (overlay / name).write_text(text, newline="")
    assert_same(overlay, kustomize)


def test_another_version_is_told(copy: Path, kustomize: Path) -> None:
    (copy / "kustomizer").unlink()
    (copy / "kustomizer").mkdir()
    (copy / "kustomizer" / "__init__.py").write_text('__version__ = "0.0.9"\n')
    done = by_ours(copy / "overlays" / "multiqueue", kustomize)
    assert done.returncode == 0
    assert b"generators/celery-workers is version 0.0.9; what ran is this command's own function, 0." in done.stderr


def test_a_link_out_of_an_overlay_is_not_followed_into_the_copy(copy: Path, kustomize: Path) -> None:
    (copy.parent / "secret").write_text("hidden-thing\n")
    overlay = copy / "overlays" / "multiqueue"
    (overlay / "l").symlink_to(copy.parent / "secret")
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(f"{kustomization.read_text()}configMapGenerator:\n- name: c\n  files: [l]\n")
    done = by_ours(overlay, kustomize)
    assert done.returncode == 1
    assert b"hidden-thing" not in done.stdout + done.stderr
