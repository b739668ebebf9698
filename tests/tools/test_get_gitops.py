"""tools/get_gitops, with a shell script in place of Go: what it builds is run by tests/control_plane/gitops."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from versions import ARGO_CD, KUSTOMIZE_CONTROLLER

from tests.tools.go_stand_in import GO, Go, go_stand_in

if TYPE_CHECKING:
    from pathlib import Path

FLUX = f"github.com/fluxcd/kustomize-controller@v{KUSTOMIZE_CONTROLLER}"
ARGO = f"github.com/argoproj/argo-cd/v3@v{ARGO_CD}"
LISTENER = 'metricsAddr := fmt.Sprintf("%s:%%d", metricsPort)\n'


@pytest.fixture
def go(tmp_path: Path) -> Go:
    go = go_stand_in(tmp_path, "get_gitops")
    go.write(FLUX, {"main.go": "", "config/crd/bases/kustomizations.yaml": "a definition\n"})
    go.write(
        ARGO,
        {
            "controller/appcontroller.go": LISTENER % "0.0.0.0",  # noqa: S104
            "manifests/crds/application-crd.yaml": "a definition\n",
            "hack/git-verify-wrapper.sh": "#!/bin/sh\n",
        },
    )
    return go


def test_flux_is_built_once_with_the_published_api(go: Go) -> None:
    done = go.get("kustomize-controller")
    assert done.returncode == 0, done.stderr
    assert f"Building kustomize-controller {KUSTOMIZE_CONTROLLER}" in done.stderr
    files = {path.relative_to(go.target).as_posix() for path in go.target.rglob("*") if path.is_file()}
    built = "kustomize-controller"
    assert files == {f".{built}.lock", *(f"{built}/{name}" for name in (".stamp", built, "crds/kustomizations.yaml"))}
    calls = go.calls
    edit, tidy, build = (call.split(" ", 2)[2] for call in calls[1:])
    assert edit == "mod edit -dropreplace=github.com/fluxcd/kustomize-controller/api"
    assert (tidy, build.split()[0]) == ("mod tidy", "build")
    assert go.get("kustomize-controller").returncode == 0
    assert go.calls == calls


def test_argo_cd_listens_on_loopback_only(go: Go) -> None:
    """The copy is gone when it has been built, so Go's stand-in keeps what it was to build from."""
    go.write(ARGO, {"controller/appcontroller_test.go": "import something that is published nowhere\n"})
    program = go.directory / "bin" / "go"
    program.write_text(GO.replace('"build "*)', '"build "*) cp -r "$2" "$CALLS.source" 2>/dev/null;'))
    done = go.get("argo-cd")
    assert done.returncode == 0, done.stderr
    source = go.directory / "calls.source"
    assert (source / "controller/appcontroller.go").read_text() == LISTENER % "127.0.0.1"
    assert (source / "ui/dist/app/index.html").read_text() == ""
    assert not (source / "controller/appcontroller_test.go").exists()
    assert any(call.endswith("mod edit -dropreplace=github.com/argoproj/argo-cd/gitops-engine/v3") for call in go.calls)
    files = {path.relative_to(go.target / "argo-cd").as_posix() for path in (go.target / "argo-cd").rglob("*")}
    assert files == {".stamp", "argocd", "crds", "crds/application-crd.yaml", "git-verify-wrapper.sh"}
    assert os.access(go.target / "argo-cd" / "git-verify-wrapper.sh", os.X_OK)


def test_says_so_when_argo_cd_listens_elsewhere(go: Go) -> None:
    go.write(ARGO, {"controller/appcontroller.go": "metricsAddr := address\n"})
    done = go.get("argo-cd")
    assert done.returncode == 1
    assert f"Argo CD {ARGO_CD}: controller/appcontroller.go has no" in done.stderr
    assert not (go.target / "argo-cd").exists()


def test_no_such_part(go: Go) -> None:
    done = go.get("flux")
    assert done.returncode == 2
    assert "no such part: flux (there are source-controller, kustomize-controller, argo-cd" in done.stderr
