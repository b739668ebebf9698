"""A container of a built Deployment as this machine can run it: volumes laid out as a kubelet does, command and env.

There is no container here: what the image has under ``/openedx`` is a directory of the test's, and that prefix is
replaced in the files of the ConfigMaps. All else is what was emitted.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

IMAGE_DIRECTORY = "/openedx"

# What a kubelet calls the directory with a volume's files; `..data` points to it, each file to its place in `..data`.
_VERSION = "..2026_01_01_00_00_00.0"
# `$(NAME)` in a command, an argument or an environment's value; `$$(NAME)` is a way to write it.
_REFERENCE = re.compile(r"\$(\$|\(([-._a-zA-Z0-9]+)\))")


class Source(Protocol):
    """Where a pod's ConfigMaps and Secrets come from."""

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object; raises KeyError where there is none."""


class Objects:
    """The objects of a site, which is one namespace, by kind and name."""

    def __init__(self, objects: Iterable[dict[str, Any]]) -> None:
        self._by_name = {(item["kind"], item["metadata"]["name"]): item for item in objects}

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self._by_name[kind, name]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [item for (found, _), item in self._by_name.items() if found == kind]


class Container(NamedTuple):
    """What a kubelet would start: ``argv`` is the emitted command and arguments, ``env`` the emitted environment."""

    name: str
    root: Path
    argv: list[str]
    env: dict[str, str]


def container(deployment: Mapping[str, Any], objects: Source, root: Path) -> Container:
    """Lay out the volumes of ``deployment`` below ``root``, which takes the place of ``/openedx``.

    Raises KeyError where a ConfigMap or Secret isn't there, which a kubelet would wait for.
    """
    name = deployment["metadata"]["name"]
    pod = deployment["spec"]["template"]["spec"]
    spec = next((item for item in pod["containers"] if item["name"] == name), pod["containers"][0])
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
    for mount in spec.get("volumeMounts") or ():
        _mount(mount, dict(_files(volumes[mount["name"]], objects)), root)
    # A pod's /tmp goes with it: a worker that is killed leaves directories there (billiard's pymp-*).
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    env = {"TMPDIR": str(root / "tmp"), **_environment(spec, objects)}
    words = (*(spec.get("command") or ()), *(spec.get("args") or ()))
    return Container(name=name, root=root, argv=[expanded(str(word), env) for word in words], env=env)


def expanded(text: str, env: Mapping[str, str]) -> str:
    """Return ``text`` with the variables that it refers to; what isn't known stays as it is."""

    def replacement(found: re.Match[str]) -> str:
        return "$" if found[1] == "$" else env.get(found[2], found[0])

    return _REFERENCE.sub(replacement, text)


def secret_values(secret: Mapping[str, Any]) -> dict[str, str]:
    """Return what is in a Secret, decoded."""
    decoded = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
    return decoded | (secret.get("stringData") or {})


def _environment(spec: Mapping[str, Any], objects: Source) -> dict[str, str]:
    """Return a container's environment: all of a ConfigMap's or Secret's first, then one by one."""
    env: dict[str, str] = {}
    for source in spec.get("envFrom") or ():
        if "secretRef" in source:
            values = secret_values(objects.get("Secret", source["secretRef"]["name"]))
        else:
            values = objects.get("ConfigMap", source["configMapRef"]["name"]).get("data") or {}
        env |= {f"{source.get('prefix', '')}{name}": value for name, value in values.items()}
    for entry in spec.get("env") or ():
        if "valueFrom" in entry:
            env[entry["name"]] = _referred(entry["valueFrom"], objects)
        else:
            env[entry["name"]] = expanded(str(entry.get("value", "")), env)
    return env


def _referred(value_from: Mapping[str, Any], objects: Source) -> str:
    [(kind, reference)] = value_from.items()
    if kind == "secretKeyRef":
        return secret_values(objects.get("Secret", reference["name"]))[reference["key"]]
    if kind == "configMapKeyRef":
        return str(objects.get("ConfigMap", reference["name"])["data"][reference["key"]])
    raise NotImplementedError(f"a value from elsewhere: {value_from}")


def _files(volume: Mapping[str, Any], objects: Source) -> Iterator[tuple[str, str]]:
    """Yield path and content of what a volume holds; a later source of a projected volume wins, as in a kubelet."""
    if "emptyDir" in volume:
        return
    if "projected" in volume:
        for source in volume["projected"]["sources"]:
            yield from _files(source, objects)
    elif "configMap" in volume:
        given = volume["configMap"]
        yield from _chosen(given, objects.get("ConfigMap", given["name"])["data"])
    elif "secret" in volume:
        given = volume["secret"]
        name = given.get("secretName") or given["name"]
        yield from _chosen(given, secret_values(objects.get("Secret", name)))
    else:
        raise NotImplementedError(f"a volume of another kind: {volume}")


def _chosen(given: Mapping[str, Any], data: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for item in given.get("items") or [{"key": key, "path": key} for key in data]:
        yield item["path"], data[item["key"]]


def _mount(mount: Mapping[str, Any], files: Mapping[str, str], root: Path) -> None:
    target = _inside(root, mount["mountPath"])
    below = mount.get("subPath", "").strip("/")
    if below in files:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_moved(files[below], root))
        return
    if below:
        files = {path.removeprefix(f"{below}/"): text for path, text in files.items() if path.startswith(f"{below}/")}
        assert files, mount
    version = target / _VERSION
    version.mkdir(parents=True)
    (target / "..data").symlink_to(_VERSION)
    for path, text in files.items():
        (version / path).parent.mkdir(parents=True, exist_ok=True)
        (version / path).write_text(_moved(text, root))
        visible = target / Path(path).parts[0]
        if not visible.is_symlink():
            visible.symlink_to(Path("..data") / visible.name)


def _inside(root: Path, path: str) -> Path:
    """Return where a path of the image is on this machine."""
    return root / os.path.relpath(path, IMAGE_DIRECTORY)


def _moved(text: str, root: Path) -> str:
    return text.replace(f"{IMAGE_DIRECTORY}/", f"{root}/")
