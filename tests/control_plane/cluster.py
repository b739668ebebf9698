"""etcd, an API server, the controllers and KEDA as processes on loopback, all of them gone afterwards.

    with running_cluster(directory, time_factor=10) as cluster:
        cluster.apply(build.stdout.decode(), force_conflicts=True)
        cluster.get("Deployment", "openedx", "lms-worker")

One cluster is enough for all tests of a process: ``clear`` empties a namespace between them.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.control_plane.api import TOKEN, Api, ApiError
from tests.control_plane.certificates import Certificates, certificates
from tests.control_plane.keda import KEDA_ENVIRON, Keda
from tests.control_plane.keeper import Keeper
from tests.control_plane.names import Names
from tests.parts import TOOLS, present, program
from tests.processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROGRAMS = TOOLS / "control-plane"
# What a site's objects need; nobody here makes tokens, assigns addresses or mounts disks.
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "horizontal-pod-autoscaler-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "namespace-controller",
)
OF_NODES = (
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "pod-garbage-collector-controller",
    "endpointslice-controller",
    "persistentvolume-binder-controller",
    "persistentvolumeclaim-protection-controller",
    "ttl-after-finished-controller",
)
"""What real nodes need besides: tests/node has them."""
SYNC_SECONDS, DOWNSCALE_SECONDS = 15, 300
"""The controllers' own defaults for an HPA."""


class Cluster(Api):
    """A running control plane: what to say to its API, and what it resolves.

    ``directory`` holds all it writes: certificates, data, logs (``<program>.log``). ``kubeconfig`` is the file for
    whoever talks to it (kubectl, Tutor): all is allowed.
    """

    def __init__(self, directory: Path, keeper: Keeper, port: int, authority: Path) -> None:
        kubectl = present(PROGRAMS / "kubernetes" / "kubectl")
        super().__init__(port, authority, kubectl, directory / "kubeconfig")
        self.directory = directory
        self.keeper = keeper
        self.names = Names(directory, keeper)
        self.changing: list[subprocess.Popen[bytes]] = []

    def name_address(self, name: str, address: str = "127.0.0.1") -> None:
        """Let KEDA and the pods resolve ``name`` (say, ``redis.openedx``), as a cluster's DNS would."""
        self.names.add(name, address)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let nobody but the caller change anything: the controllers and KEDA's operator stand still meanwhile."""
        try:
            for process in self.changing:
                process.send_signal(signal.SIGSTOP)
            yield
        finally:
            for process in self.changing:
                process.send_signal(signal.SIGCONT)

    def clear(self, namespace: str) -> None:
        """Delete the namespace with all that is in it, pods too, without grace.

        Its controller does the same, but waits for five seconds before it begins.
        """
        deadline = time.monotonic() + PATIENCE
        core = f"/api/v1/namespaces/{namespace}"
        with contextlib.suppress(ApiError):
            # From now on nothing can be made in it: what is deleted doesn't come back.
            self.request("DELETE", core)
        places = [f"{group}/namespaces/{namespace}/{name}" for group, name in self._namespaced()]
        while left := [place for place in places if self.request("GET", place)["items"]]:
            assert time.monotonic() < deadline, left
            for place in left:
                self.request("DELETE", f"{place}?propagationPolicy=Background&gracePeriodSeconds=0")
            for kind in ("pods", "persistentvolumeclaims"):
                self._empty(f"{core}/{kind}")
            time.sleep(0.1)
        with contextlib.suppress(ApiError):
            ending = self.request("GET", core)
            ending["spec"]["finalizers"] = []
            self.request("PUT", f"{core}/finalize", ending)
            while time.monotonic() < deadline:
                self.request("GET", core)
                time.sleep(0.1)

    def _namespaced(self) -> Iterator[tuple[str, str]]:
        """Yield what a namespace may hold: the path of each kind's group, and its name. Events stay."""
        groups = ["/api/v1"]
        for group in self.request("GET", "/apis")["groups"]:
            groups += [f"/apis/{version['groupVersion']}" for version in group["versions"]]
        for path in groups:
            for kind in self.request("GET", path)["resources"]:
                is_kept = kind["namespaced"] and {"list", "deletecollection"} <= {*kind["verbs"]}
                if is_kept and kind["name"] != "events":
                    yield path, kind["name"]

    def _empty(self, path: str) -> bool:
        """Delete what is in a collection, whatever holds it; returns whether there was anything."""
        items = self.request("GET", path)["items"]
        for item in items:
            with contextlib.suppress(ApiError):  # gone meanwhile
                name = f"{path}/{item['metadata']['name']}"
                # A disk's claim is protected by a controller which takes that away, and doesn't run here.
                if item["metadata"].get("finalizers"):
                    self.merge(name, {"metadata": {"finalizers": None}})
                self.request("DELETE", name, {"gracePeriodSeconds": 0})
        return bool(items)


@contextlib.contextmanager
def running_cluster(
    directory: Path, *, time_factor: int = 10, controllers: Sequence[str] = CONTROLLERS
) -> Iterator[Cluster]:
    """Start everything and wait until it answers; afterwards nothing of it runs, also when the test was killed.

    ``time_factor`` divides the controllers' own times: the HPA's sync period (15 s) and its downscale stabilisation.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with Keeper() as keeper:
        made = certificates(directory / "certificates")
        etcd = _start_etcd(directory, keeper)
        api_port = free_port()
        cluster = Cluster(directory, keeper, api_port, made.authority)
        try:
            server = _start(keeper, directory, _api_server(made, directory, etcd, api_port))
            _until(lambda: cluster.request("GET", "/readyz"), directory / "kube-apiserver.log", server)
            cluster.changing.append(_start(keeper, directory, _controllers(cluster, controllers, time_factor)))
            keda = Keda(made, free_port)
            keda.install(cluster)
            started = {}
            for name, command in keda.commands(cluster.kubeconfig).items():
                env = {**cluster.environ, **KEDA_ENVIRON}
                log = directory / f"{name}.log"
                started[name] = keeper.start(cluster.names.command(command), log=log, env=env)
            cluster.changing.append(started["keda-operator"])
            external = "/apis/external.metrics.k8s.io/v1beta1"
            _until(lambda: cluster.request("GET", external), directory / "keda-adapter.log", started["keda-adapter"])
            yield cluster
        finally:
            cluster.close()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(keeper: Keeper, directory: Path, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    name = Path(command[0]).name
    return keeper.start(command, log=directory / f"{name}.log", env={"PATH": "/usr/bin:/bin", "HOME": str(directory)})


def _start_etcd(directory: Path, keeper: Keeper) -> str:
    etcd = program("etcd")
    clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    options = {
        "data-dir": directory / "etcd",
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        # It is gone with the test; a machine that loses power in between loses nothing.
        "unsafe-no-fsync": "true",
    }
    _start(keeper, directory, [etcd, *(f"--{name}={value}" for name, value in options.items())])
    return clients


def _api_server(made: Certificates, directory: Path, etcd: str, port: int) -> Sequence[str | Path]:
    tokens = directory / "tokens.csv"
    tokens.write_text(f"{TOKEN},tests,tests,system:masters\n")
    certificate, key = made.pair("tls")
    aggregator, aggregator_key = made.pair("aggregator")
    account_key = made.directory / "service-account.key"
    options = {
        "etcd-servers": etcd,
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        # The Service `kubernetes`, which nobody here looks for, can't lead to an address of loopback (from 1.37 on).
        "endpoint-reconciler-type": "none",
        "secure-port": port,
        "tls-cert-file": certificate,
        "tls-private-key-file": key,
        "client-ca-file": made.authority,
        "token-auth-file": tokens,
        "authorization-mode": "RBAC",
        # It would wait for tokens that no controller here makes.
        "disable-admission-plugins": "ServiceAccount",
        "service-account-issuer": "https://tests",
        "service-account-key-file": account_key,
        "service-account-signing-key-file": account_key,
        "service-cluster-ip-range": "10.0.0.0/24",
        "requestheader-client-ca-file": made.authority,
        "requestheader-allowed-names": "aggregator",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": aggregator,
        "proxy-client-key-file": aggregator_key,
        # To a kubelet, where there is one; none here has a name that resolves.
        "kubelet-client-certificate": aggregator,
        "kubelet-client-key": aggregator_key,
        "kubelet-preferred-address-types": "InternalIP",
    }
    return [
        present(PROGRAMS / "kubernetes" / "kube-apiserver"),
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def _controllers(cluster: Cluster, names: Sequence[str], time_factor: int) -> Sequence[str | Path]:
    options = {
        "kubeconfig": cluster.kubeconfig,
        "controllers": ",".join(names),
        "leader-elect": "false",
        "secure-port": 0,
        "kube-api-qps": 200,
        "kube-api-burst": 400,
        "horizontal-pod-autoscaler-sync-period": f"{SYNC_SECONDS / time_factor}s",
        "horizontal-pod-autoscaler-downscale-stabilization": f"{DOWNSCALE_SECONDS / time_factor}s",
    }
    program = present(PROGRAMS / "kubernetes" / "kube-controller-manager")
    return [program, *(f"--{name}={value}" for name, value in options.items())]


def _until(ask: Callable[[], object], log: Path, server: subprocess.Popen[bytes]) -> None:
    """Ask until there is an answer, or whoever would give it has ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            ask()
        except (OSError, ApiError) as error:
            if time.monotonic() > deadline or server.poll() is not None:
                raise TimeoutError(f"{error}\n{log.read_text()[-4000:]}") from error
            time.sleep(0.1)
        else:
            return
