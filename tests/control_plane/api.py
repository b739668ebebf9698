"""Talks to the API server: plain requests for what a test does often, kubectl for what operators do with it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TOKEN = "tests"
SECONDS = 120


class RefusedError(AssertionError):
    """kubectl or Tutor failed; the text is what it said."""


def run_command(
    command: Sequence[str | Path],
    environ: Mapping[str, str],
    *,
    status: int = 0,
    seconds: float = SECONDS,
    answer: str = "",
) -> str:
    """Run a command; return all that it says. Raises RefusedError unless it ends with ``status``.

    With an ``answer`` it has a terminal, where that is typed.
    """
    with contextlib.ExitStack() as stack:
        stdin = subprocess.DEVNULL
        if answer:
            typed, stdin = os.openpty()
            stack.callback(os.close, typed)
            stack.callback(os.close, stdin)
            os.write(typed, f"{answer}\n".encode())
        done = subprocess.run(
            [str(word) for word in command],
            env=environ,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            timeout=seconds,
        )
    if done.returncode != status:
        raise RefusedError(done.stdout)
    return done.stdout


class ApiError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """An API server on this machine."""

    def __init__(self, port: int, authority: Path, kubectl: Path, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.authority = authority
        self.port = port
        self._kubectl = kubectl
        self._tls = ssl.create_default_context(cafile=str(authority))
        self._of_thread = threading.local()
        self._watching: set[http.client.HTTPSConnection] = set()
        self._connections: list[http.client.HTTPSConnection] = []
        kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [
                        {
                            "name": "tests",
                            "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(authority)},
                        }
                    ],
                    "users": [{"name": "tests", "user": {"token": TOKEN}}],
                    "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
                    "current-context": "tests",
                }
            )
        )
        kubeconfig.chmod(0o600)

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs in order to talk to this API server, and to find its kubectl."""
        path = f"{self._kubectl.parent}:{os.environ.get('PATH', os.defpath)}"
        return {"PATH": path, "HOME": str(self.kubeconfig.parent), "KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl; raises RefusedError unless ``check`` is off."""
        command = [str(self._kubectl), *arguments]
        done = subprocess.run(
            command, env=self.environ, input=stdin, check=False, capture_output=True, text=True, timeout=SECONDS
        )
        if check and done.returncode:
            raise RefusedError(done.stderr)
        return done

    def apply(self, yaml_text: str, *, server_side: bool = True, force_conflicts: bool = False) -> str:
        """Apply documents with kubectl and return what it printed; raises RefusedError with what it said instead."""
        options = [*(["--server-side"] if server_side else []), *(["--force-conflicts"] if force_conflicts else [])]
        return self.kubectl("apply", *options, "--filename=-", stdin=yaml_text).stdout

    def delete(self, kind: str, namespace: str, *names: str) -> None:
        """Delete objects; none of them being there is fine. Pods go the kubelet's way, with their grace period."""
        self.kubectl("delete", "--namespace", namespace, "--ignore-not-found", "--wait=false", kind, *names)

    def get(self, kind: str, namespace: str, name: str | None = None) -> Any:
        """Return the object, or None where there is none; without ``name`` a list of all in the namespace.

        ``kind`` is what kubectl takes: ``Deployment``, ``pods``, ``ScaledObject``, ``hpa``.
        """
        which = [kind] if name is None else [kind, name, "--ignore-not-found"]
        said = self.kubectl("get", "--namespace", namespace, "--output=json", *which).stdout
        found: Any = json.loads(said) if said else None
        return found["items"] if name is None else found

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """Send a request to the API, such as ``/apis/apps/v1/namespaces/openedx/deployments``; returns what it says.

        Raises ApiError, which has a ``status``. It costs a millisecond where kubectl takes a tenth of a second.
        """
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type}
        data = None if body is None else json.dumps(body)
        for again in (True, False):
            connection = self._connection()
            try:
                connection.request(method, quote(path, safe="/?=&,%"), data, headers)
                response = connection.getresponse()
                text = response.read()
                break
            except (http.client.HTTPException, OSError):
                # A connection that the server has closed while nobody used it.
                connection.close()
                if not again:
                    raise
        answer: dict[str, Any] = json.loads(text) if text.startswith(b"{") else {"text": text.decode()}
        if response.status >= http.client.BAD_REQUEST:
            raise ApiError(response.status, answer.get("message") or str(answer))
        return answer

    def merge(self, path: str, body: Any) -> dict[str, Any]:
        """Change an object by a merge patch."""
        return self.request("PATCH", path, body, content_type="application/merge-patch+json")

    def watch(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the collection's objects and then each change, as type (ADDED, MODIFIED, DELETED) and object.

        It ends when the server ends it, or when ``stop_watching`` is called.
        """
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls)
        self._watching.add(connection)
        try:
            # From what the server has in its cache: a fresh one that has seen no pod answers "Too large resource
            # version" to a watch that wants to be up to date, since etcd 3.4 can't tell it that it is.
            watch = f"{path}?watch=true&resourceVersion=0"
            connection.request("GET", watch, headers={"Authorization": f"Bearer {TOKEN}"})
            response = connection.getresponse()
            while line := response.readline():
                event = json.loads(line)
                yield event["type"], event["object"]
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            # What a read says when another thread has closed the connection depends on where it was.
            if connection in self._watching:
                raise
        finally:
            self._watching.discard(connection)
            connection.close()

    def stop_watching(self) -> None:
        """End every ``watch``."""
        for connection in list(self._watching):
            self._watching.discard(connection)
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(2)

    def close(self) -> None:
        """End what watches, and close every connection."""
        self.stop_watching()
        for connection in self._connections:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        found: http.client.HTTPSConnection | None = getattr(self._of_thread, "connection", None)
        if found is None:
            found = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls, timeout=SECONDS)
            self._of_thread.connection = found
            self._connections.append(found)
        return found
