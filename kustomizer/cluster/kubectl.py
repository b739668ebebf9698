"""Runs kubectl: the one way to a cluster that every operator has, with the rights and the context of theirs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from kustomizer.errors import UserError
from kustomizer.masking.messages import without_secrets
from kustomizer.record import Record
from kustomizer.system.command_log import logged
from kustomizer.system.processes import which
from kustomizer.system.wording import joined

_REQUEST_SECONDS = 60
_LAST_LINES = 5
_LOGGED = re.compile(r"[IWEF][0-9]{4} [0-9:.]+ |Warning: ")
"""What isn't the reason: lines of kubectl's libraries, and warnings of the API server's."""
_ADVICE = re.compile(r"; if you choose to ignore these errors, turn validation off with --validate=false")
"""It would have the API server drop what it doesn't know, without a word."""
_NO_CLUSTER = ("dial tcp", "Unable to connect to the server", "The connection to the server")
"""kubectl's words where no cluster answers."""
_MISSING = re.compile(
    r'\[?resource mapping not found for name: "(?P<name>[^"]*)"[^\n]*: '
    r'no matches for kind "(?P<kind>[^"]+)" in version "(?P<version>[^"]+)"\n'
    r"ensure CRDs are installed first(?:, |\]?\n?)"
)
"""kubectl's words about a kind that the cluster doesn't know: two lines for each object, where here each kind is said
once."""
_SHOWN = 3
_BRINGS = {"keda.sh": "KEDA", "monitoring.coreos.com": "the Prometheus operator"}


class Kubectl(Record):
    """kubectl, with the cluster and namespace that it talks to; an empty field is left to its own configuration."""

    path: str
    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""

    def get(self, *arguments: str) -> Any:
        """Return what ``kubectl get ARGUMENTS -o json`` prints. Raises UserError in kubectl's words where it fails."""
        return self._json(*arguments, "--output=json")

    def api_resources(self) -> list[str]:
        """Return what kinds of objects of a namespace the cluster knows, as kubectl calls them: ``deployments.apps``.

        Raises UserError where it knows none. An extension of the API that doesn't answer is no reason.
        """
        done = self.start(("api-resources", "--namespaced", "--output=name"), seconds=_REQUEST_SECONDS)
        if not done.stdout.strip():
            raise refusal("kubectl api-resources", done)
        return done.stdout.split()

    def delete(self, resource: str, names: Sequence[str], *options: str) -> str:
        """Delete objects of one kind, those that are there; return what kubectl says. Raises UserError in its words."""
        waits = f"--timeout={_REQUEST_SECONDS}s"
        return self._run("delete", resource, *names, "--ignore-not-found", waits, *options)

    def get_raw(self, path: str) -> Any:
        """Return what the API server says at ``path``. Raises UserError where it refuses."""
        return self._json(f"--raw={path}")

    def run_python(self, pod: str, container: str, program: str, *, seconds: int) -> Mapping[str, Any]:
        """Run ``program`` with the Python of a pod's container and return the JSON that it prints.

        It goes over stdin: an argument would be seen by everybody in the pod. Raises UserError with its ``error``, or
        with kubectl's last words where it printed no JSON.
        """
        arguments = ("exec", "--stdin", pod, f"--container={container}", "--", "python", "-")
        process = self.start(arguments, stdin=program, seconds=seconds)
        try:
            answer = json.loads(process.stdout)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            last = (
                "\n".join(without_secrets(process.stderr.strip()).split("\n")[-_LAST_LINES:])
                or f"exit status {process.returncode}"
            )
            raise UserError.of(f"kubectl exec in pod {pod}, container {container}: {last}")
        if "error" in answer:
            raise UserError.of(f"pod {pod}: {answer['error']}")
        return answer

    def _json(self, *arguments: str) -> Any:
        try:
            return json.loads(self._run("get", *arguments, f"--request-timeout={_REQUEST_SECONDS}s"))
        except ValueError:
            raise UserError.of("kubectl didn't print JSON") from None

    def _run(self, *arguments: str) -> str:
        process = self.start(arguments, seconds=_REQUEST_SECONDS + 10)
        if process.returncode:
            raise refusal(f"kubectl {arguments[0]} {arguments[1]}", process)
        return process.stdout

    def start(
        self,
        arguments: Sequence[str],
        *,
        seconds: int | None = None,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``kubectl ARGUMENTS`` to its end, with ``env`` besides the environment, and return the result.

        Raises UserError where it can't be run, or takes longer than ``seconds``.
        """
        where = {"--namespace": self.namespace, "--context": self.context, "--kubeconfig": self.kubeconfig}
        options = [f"{name}={value}" for name, value in where.items() if value]
        command = [self.path, *options, *arguments]
        try:
            with logged(command):
                return subprocess.run(
                    command,
                    input=stdin,
                    capture_output=True,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    timeout=seconds,
                    env={**os.environ, **(env or {})},
                    check=False,
                )
        except OSError as error:
            raise UserError.of(f"{self.path} can't be run: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise UserError.of(f"kubectl {arguments[0]} didn't end within {seconds} s") from None


def find_kubectl(given: str | None, *, namespace: str = "", context: str = "", kubeconfig: str = "") -> Kubectl:
    """Return the kubectl to use, ``given`` or else the one on PATH. Raises UserError where there is none."""
    path = given or which("kubectl")
    if path is None:
        raise UserError.of("there is no kubectl on PATH", remedy="Install it, or name it with --kubectl")
    return Kubectl(path=path, namespace=namespace, context=context, kubeconfig=kubeconfig)


def refusal(what: str, done: subprocess.CompletedProcess[str], more: str = "") -> UserError:
    """Return the error in kubectl's words, with ``more`` behind them, and the remedy where it found no cluster."""
    lines = without_secrets(done.stderr.strip()).split("\n")
    # What kubectl's libraries log says the same five times before kubectl says it once; a warning is no reason.
    words = "\n".join(line for line in lines if not _LOGGED.match(line)) or "\n".join(lines)
    words = _ADVICE.sub("", words)
    missing = _missing_kinds(words)
    reason = _MISSING.sub("", words).strip().removeprefix("error: ").rstrip(".?")
    remedy = "Install what brings such a kind, or take the objects out of the build" if missing else ""
    if any(sign in reason for sign in _NO_CLUSTER):
        remedy = "Which cluster that is: --context, --kubeconfig, `kubectl config current-context`"
    message = "\n".join(filter(None, (reason, *missing))) or f"exit status {done.returncode}"
    return UserError.of(f"{what}: {message}{more}", remedy=remedy)


def _missing_kinds(words: str) -> list[str]:
    """Return a sentence about each kind that the cluster doesn't know."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for match in _MISSING.finditer(words):
        kinds.setdefault((match["kind"], match["version"]), []).append(match["name"])
    sentences = []
    for (kind, version), names in kinds.items():
        brings = _BRINGS.get(version.partition("/")[0])
        brought = f", which {brings} brings" if brings else ""
        sentences.append(f"the cluster doesn't know {kind} of {version}{brought}: {joined(names, most=_SHOWN)}")
    return sentences
