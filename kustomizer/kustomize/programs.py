"""Tells which program kustomize runs for an extension that a kustomization lists, and whether that program may run.

kustomize decides it in `loadPlugin` (api/internal/plugins/loader) and `GetFunctionSpec` (kyaml/fn/runtime/runtimeutil):
its builtin plugins run nothing; an object that names a function runs that; any other is a legacy plugin, a file of the
plugin home. A program that is named in an unusual way is refused, not understood.
"""

from __future__ import annotations

import os

from kustomizer import API_VERSION, KIND, is_configuration
from kustomizer.kustomize.certain_yaml import Uncertain, read_heads, read_one, text_of
from kustomizer.manifests.tree import is_null
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

OWN_COMMAND = "tutor-celery-workers"
"""The function's name on PATH."""
IN_REPOSITORY = "generators/celery-workers"
"""Where the repository of this tool has it."""
HELM = "helm"
CONTAINER = "docker:"
"""The prefix of a container function's image."""

ALLOW_EXEC = "TUTOR_KUSTOMIZER_ALLOW_EXEC"
"""Names more programs, between spaces."""
FUNCTIONS = ("config.kubernetes.io/function", "config.k8s.io/function")
"""Annotations that name a function; kustomize takes the first that is there."""
_IMAGE = "config.kubernetes.io/container"
_CONFIGURATION_FIELDS = frozenset({"apiVersion", "kind", "metadata", "spec"})
_HELM_BUILTIN = "HelmChartInflationGenerator"
_BUILTINS = frozenset(
    {
        *(
            "AnnotationsTransformer",
            "ConfigMapGenerator",
            "HashTransformer",
            "IAMPolicyGenerator",
            "ImageTagTransformer",
        ),
        *("LabelTransformer", "NamespaceTransformer", "PatchJson6902Transformer", "PatchStrategicMergeTransformer"),
        *("PatchTransformer", "PrefixSuffixTransformer", "PrefixTransformer", "ReplacementTransformer"),
        *("ReplicaCountTransformer", "SecretGenerator", "SortOrderTransformer", "SuffixTransformer"),
        "ValueAddTransformer",
    }
)


class Program(Record):
    """What kustomize runs for an extension: ``name`` is what `--allow-exec` takes, but for a path's directory."""

    name: str
    is_own: bool = False
    is_legacy: bool = False
    """Whether it is a legacy plugin, whose name is its API version and kind."""

    @property
    def is_path(self) -> bool:
        """Whether kustomize takes it for a file, relative to the kustomization that lists the extension."""
        return "/" in self.name and not self.is_legacy and not self.name.startswith(CONTAINER)


def program_of(item: Any) -> Program | None:
    """Return the program that kustomize runs for the extension ``item``, None for a builtin plugin.

    Raises Uncertain where that can't be known.
    """
    if type(item) is not dict:
        raise Uncertain("it holds something else than objects")
    api_version, kind = item.get("apiVersion"), item.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or kind.endswith("List") or "items" in item:
        raise Uncertain("it holds something else than single objects with apiVersion and kind")
    if api_version == "builtin":
        if kind == _HELM_BUILTIN:
            return Program(name=HELM)
        if kind not in _BUILTINS:
            raise Uncertain(f"kustomize has no builtin plugin {kind!r}")
        return None
    if is_configuration(api_version, kind) and not _CONFIGURATION_FIELDS.issuperset(item):
        raise Uncertain(f"its {KIND} has fields that it can't have")
    metadata = _mapping(item.get("metadata"), "metadata")
    named = _function(metadata)
    if named is not None:
        return _program(named)
    is_own = api_version == API_VERSION and kind == KIND
    return Program(name=f"{api_version}/{kind}", is_legacy=True, is_own=is_own)


def _function(metadata: dict[str, Any]) -> Any:
    """Return the function's specification, None where the object names none."""
    annotations = _mapping(metadata.get("annotations"), "metadata.annotations")
    named: list[Any] = []
    for key in FUNCTIONS:
        if key in annotations and annotations[key] != "":
            if not isinstance(annotations[key], str):
                raise Uncertain("an object names a function in a way that is no text")
            named.append(read_one(annotations[key]))
    if not is_null(metadata.get("configFn")):
        named.append(metadata["configFn"])
    if annotations.get(_IMAGE, "") != "":
        named.append({"container": {"image": annotations[_IMAGE]}})
    if len(named) > 1:
        raise Uncertain("an object names several functions")
    return named[0] if named else None


def _program(named: Any) -> Program:
    """Return the program of a function. Raises Uncertain where it has arguments, variables or anything else, too."""
    if type(named) is dict and len(named) == 1:
        ((how, what),) = named.items()
        if type(what) is dict and len(what) == 1:
            ((field, value),) = what.items()
            if isinstance(value, str) and value and not value.startswith("-"):
                if (how, field) == ("exec", "path"):
                    is_own = f"/{value}".endswith((f"/{OWN_COMMAND}", f"/{IN_REPOSITORY}"))
                    return Program(name=str(value), is_own=is_own)
                if (how, field) == ("container", "image"):
                    return Program(name=CONTAINER + value)
    raise Uncertain("an object names a function in another way than `exec: {path: …}` or `container: {image: …}`")


def _mapping(node: Any, name: str) -> dict[str, Any]:
    if is_null(node):
        return {}
    if type(node) is not dict:
        raise Uncertain(f"its {name} is no mapping")
    return node


def changes_spec_alone(patch: Any, directory: str) -> bool:
    """Tell whether a patch changes nothing but the ``spec`` of a configuration of ours. Raises Uncertain."""
    if type(patch) is not dict or len(patch) != 1:
        return False
    if isinstance(patch.get("path"), str):
        text = text_of(os.path.realpath(f"{directory}/{patch['path']}"), directory)
    elif isinstance(patch.get("patch"), str):
        text = patch["patch"]
    else:
        return False
    return all(
        type(item) is dict
        and _CONFIGURATION_FIELDS.issuperset(item)
        and (item.get("apiVersion"), item.get("kind")) == (API_VERSION, KIND)
        and type(item.get("metadata")) is dict
        and {"name", "namespace"}.issuperset(item["metadata"])
        for item in read_heads(text)
    )


class Permissions(Record):
    """Programs that may run, and whether a build may fetch things; nothing in what is built can grant them.

    A program is the path of a file, a name that is looked up on PATH, `docker:` and an image, or the API version and
    kind of a legacy plugin.
    """

    programs: frozenset[str] = frozenset()
    remote: bool = False
    outside: bool = False
    """Whether directories may take part that lie outside of the overlay's checkout."""

    def allow(self, program: Program, directory: str) -> bool:
        """Tell whether ``program``, which a kustomization in ``directory`` names, may run."""
        if program.is_path:
            return os.path.realpath(f"{directory}/{program.name}" if program.name[0] != "/" else program.name) in map(
                os.path.realpath, filter(_is_absolute, self.programs)
            )
        return program.name in self.programs

    @property
    def are_any(self) -> bool:
        """Whether anything is allowed that may need the user's environment."""
        return bool(self.programs) or self.remote

    def with_programs(self, programs: Iterable[str], directory: str) -> Permissions:
        """Return these permissions and ``programs``; paths are relative to ``directory``."""
        return self.replace(programs=self.programs | {_resolved(program, directory) for program in programs})

    def moved(self, place: str) -> Permissions:
        """Return these permissions, for a copy of this machine's files below ``place`` as well."""
        return self.replace(programs=self.programs | {f"{place}{path}" for path in filter(_is_absolute, self.programs)})


def permissions(programs: Iterable[str] = (), *, remote: bool = False, outside: bool = False) -> Permissions:
    """Return the permissions that ``programs`` and the environment name, paths relative to the working directory."""
    named = [*programs, *os.environ.get(ALLOW_EXEC, "").split()]
    return Permissions(remote=remote, outside=outside).with_programs(named, "")


def _resolved(program: str, directory: str) -> str:
    """Return ``program`` with the whole path where it is a file's; a legacy plugin has slashes in its name, too."""
    is_path = "/" in program and not program.startswith(CONTAINER)
    if is_path and (program.startswith(("/", "./", "../")) or os.path.lexists(os.path.join(directory, program))):  # noqa: PTH118 - pathlib costs 5 ms to import
        return os.path.abspath(os.path.join(directory, program))  # noqa: PTH100, PTH118
    return program


def _is_absolute(program: str) -> bool:
    return program.startswith("/")
