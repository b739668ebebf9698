"""The cluster's network within the namespace: a bridge for all pods and nodes, and its DNS.

Nothing has a route out of it. There is no kube-proxy: the name of a Service has the addresses of its ready pods.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.control_plane.api import ApiError
from tests.sites import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.control_plane.api import Api

BRIDGE = "pods"
DNS = "10.88.0.1"
"""Of the bridge: what the nodes' names end at, and what serves names and the tests' journal."""
DOMAIN = "cluster.local"
_SUFFIX = f".svc.{DOMAIN}"
_PODS = {"rangeStart": "10.88.1.0", "rangeEnd": "10.88.250.0", "subnet": "10.88.0.0/16", "gateway": DNS}
_A, _SECONDS = 1, 1
_FLAGS, _NOT_FOUND = 0x8580, 3


def node_address(number: int) -> str:
    """Return the address of a node."""
    return f"10.88.0.{10 + number}"


def make_bridge() -> None:
    """Make the bridge."""
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{DNS}/16", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def add_address(address: str) -> None:
    """Give the bridge an address more."""
    run("ip", "address", "add", f"{address}/16", "dev", BRIDGE)


def plugins(addresses: Path) -> str:
    """Return CNI's configuration; ``addresses`` is where it notes which are in use."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(addresses),
            "ranges": [[_PODS]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": BRIDGE, "plugins": [bridge]})


@contextlib.contextmanager
def names(api: Api) -> Iterator[None]:
    """Serve the names of Services, for pods and for all that runs in this namespace besides."""
    resolver = Path("/etc/resolv.conf")
    resolver.unlink(missing_ok=True)
    resolver.write_text(f"nameserver {DNS}\nsearch svc.{DOMAIN} {DOMAIN}\noptions ndots:5\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((DNS, 53))
        thread = threading.Thread(target=_serve, args=(server, api), daemon=True)
        thread.start()
        yield
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(server: socket.socket, api: Api) -> None:
    while True:
        try:
            query, sender = server.recvfrom(512)
        except OSError:
            return
        if not query:
            return
        with contextlib.suppress(OSError):
            server.sendto(_answer(query, api), sender)


def _answer(query: bytes, api: Api) -> bytes:
    """Return the answer to a query of one name; https://www.rfc-editor.org/rfc/rfc1035#section-4."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    question = query[12 : at + 5]
    found = _addresses(".".join(labels), api)
    [kind] = struct.unpack(">H", query[at + 1 : at + 3])
    given = (found or []) if kind == _A else []
    flags = _FLAGS | (_NOT_FOUND if found is None else 0)
    head = query[:2] + struct.pack(">HHHHH", flags, 1, len(given), 0, 0)
    records = [struct.pack(">HHHIH", 0xC00C, _A, 1, _SECONDS, 4) + socket.inet_aton(address) for address in given]
    return head + question + b"".join(records)


def _addresses(name: str, api: Api) -> Sequence[str] | None:
    """Return the addresses of a Service's ready pods, None where there is no such Service."""
    service, _, namespace = name.lower().removesuffix(_SUFFIX).partition(".")
    if not name.lower().endswith(_SUFFIX) or not namespace or "." in namespace:
        return None
    try:
        api.request("GET", f"/api/v1/namespaces/{namespace}/services/{service}")
        label = f"labelSelector=kubernetes.io/service-name%3D{service}"
        slices = api.request("GET", f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?{label}")
    except (ApiError, OSError):
        return None
    return [
        address
        for item in slices["items"]
        for endpoint in item.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready")
        for address in endpoint["addresses"]
    ]
