"""The settings that a container loads: Open edX's own, from its env.yml, and the files that it mounts."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from kustomizer.config.types import ENV_FILE_VARIABLES, OPEN_EDX_SERVICES, tutors_settings
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.celery import edx_platform
from kustomizer.openedx.celery.followed import Asked, shared
from kustomizer.openedx.celery.jumps import SettingsFailed
from kustomizer.openedx.celery.mounts import MountedFile, Mounts
from kustomizer.openedx.celery.python_values import Opaque, Partial, Table, doubt_in
from kustomizer.openedx.celery.scope import Scope
from kustomizer.openedx.celery.statements import follow
from kustomizer.openedx.celery.values import CELERYS, EDX_PLATFORMS, Known, Parts, Source, Unknown
from kustomizer.openedx.settings_module import MADE_BY, TUTORS_FILE_PREFIX
from kustomizer.openedx.workers import CONFIG_MAP, pod_template

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.celery.command import Command
    from kustomizer.openedx.celery.container import Container
    from kustomizer.openedx.celery.environment import Environment
    from kustomizer.openedx.celery.values import Value
    from kustomizer.openedx.workers import EmittedWorker

_BASE = frozenset(f"{service}.envs.{file}" for service in OPEN_EDX_SERVICES for file in ("production", "common"))


class _Container(NamedTuple):
    environment: Environment
    mounts: Mounts

    def get(self, name: str) -> Value | None:
        return self.environment.get(name)

    def module(self, name: str) -> MountedFile | Unknown | None:
        return self.mounts.module(name)


class LoadedSettings:
    """The Django settings of one worker's container."""

    def __init__(
        self,
        resources: Resources,
        worker: EmittedWorker,
        command: Command,
        environment: Environment,
        *,
        container: Source,
        without_ours: bool,
    ) -> None:
        """Read the settings of ``worker``; ``container`` is its source, ``without_ours`` skips the function's own."""
        template = pod_template(worker.resource)
        self.service, self.command, self.environment = worker.service, command, environment
        self._resources, self._owner = resources, worker.resource
        self.container, self._without_ours = container, without_ours
        self._mounts = Mounts(resources, worker.resource, template, worker.container_tree)
        self._container = _Container(environment, self._mounts)

    def table(self, name: str) -> Table | None:
        """Return a setting that is a mapping, of which some items may be known though the whole isn't."""
        whole = self._settings
        value = None if isinstance(whole, Unknown) else whole.read(name)[0]
        return value if isinstance(value, Table) else None

    def tables(self, name: str) -> tuple[list[Table], Source]:
        """Return the mappings of a setting that is one or lists several, as they were read, and what sets it."""
        whole = self._settings
        if isinstance(whole, Unknown):
            return [], whole.source
        value, source, _doubt = whole.read(name)
        listed = value if isinstance(value, (list, tuple)) else [value]
        return [table for table in map(_table, listed) if table is not None], source

    def states_none(self, name: str) -> bool:
        """Tell whether a statement gives a setting None."""
        scope = self._settings
        if isinstance(scope, Unknown):
            return False
        value, source, _ = scope.read(name)
        return value is None and bool(source.line)

    def variable(self, name: str) -> Value | None:
        """Return an environment variable as it is after the settings are loaded, None where it isn't set."""
        scope = self._settings
        changed = not isinstance(scope, Unknown) and scope.changes(name)
        return scope.environment(name) if changed else self.environment.get(name)  # type: ignore[union-attr]

    def setting(self, name: str, default: Any = None) -> Value:
        """Return a Django setting by the name that Celery reads, ``default`` where nothing sets it."""
        scope = self._settings
        if isinstance(scope, Unknown):
            return scope
        value, source, doubt = scope.read(name)
        read = self._value(name, value, source, default)
        if doubt is None or isinstance(read, Unknown):
            return read
        return Unknown(reason=doubt.why.reason, source=doubt.source, may_be_unset=True, otherwise=read)

    def _value(self, name: str, value: Any, source: Source, default: Any) -> Value:
        if value is None:
            return Known(value=default, source=CELERYS)
        is_own = name == "EXPLICIT_QUEUES" and isinstance(value, Table) and value.doubt is value.rest is None
        # Open edX's own routes aren't told.
        doubt = doubt_in(dict(value) if is_own else value)
        if doubt is not None:
            return Unknown(
                reason=doubt.reason,
                source=source.replace(line=doubt.line or source.line, field=source.field or name),
                parts=value.parts if isinstance(value, Partial) else Parts(),
            )
        return Known(value=value, source=source)

    @functools.cached_property
    def _settings(self) -> Scope | Unknown:
        reason = self._foreign()
        if reason:
            return Unknown(reason=reason, source=self.container)
        named = self._module
        if isinstance(named, Unknown):
            return named
        module = str(named.value)
        if module in _BASE:
            return self._open_edx(module, self._container)
        file = self._file_of(module)
        if not isinstance(file, MountedFile):
            scope = self._open_edx(module, self._container)
            reason = file.reason if file else f"its settings module {module} isn't part of the build"
            # What mounts nothing there is the container.
            source = file.source if file else self.container
            scope.doubt_all(Opaque(f"{reason}, and may set it"), maybe=True, source=source)
            return scope
        key = (self._origin, module, file.text, file.source)
        return shared(key, self._container, lambda asked: self._followed(file, module, asked))

    def _followed(self, file: MountedFile, module: str, asked: Asked) -> Scope:
        scope = self._open_edx(module, asked)
        with contextlib.suppress(SettingsFailed):
            follow(scope, file)
        return scope

    def _open_edx(self, module: str, container: Container) -> Scope:
        """Return Open edX's own settings, before any file of the site's; ``module`` is the settings module."""
        tokens, places = self._tokens
        names, sources = edx_platform.settings(self.service, tokens, places)
        if isinstance(self.env_file, Unknown):
            unseen = self.env_file.source
            sources |= {name: unseen for name, value in names.items() if isinstance(value, Opaque)}
        base = f"{self.service}.envs.production"
        return Scope(names, sources, container, module=module, base=base, origin=self._origin)

    def _file_of(self, module: str) -> MountedFile | Unknown | None:
        """Return the file of the settings module; Tutor's where ours has replaced it and isn't wanted."""
        file = self._mounts.module(module)
        if not (self._without_ours and isinstance(file, MountedFile) and file.text.startswith(MADE_BY)):
            return file
        package, _, name = module.rpartition(".")
        return self._mounts.module(f"{package}.{TUTORS_FILE_PREFIX}{name}")

    def _foreign(self) -> str:
        """Say why the settings aren't Open edX's; empty where they are."""
        if self.service not in OPEN_EDX_SERVICES:
            return "only the application's own settings know it"
        app = self.command.option("--app")
        if isinstance(app, Unknown):
            return f"which application it is isn't known: {app.reason}"
        # Without one the image's own start would have to name it: a worker of lms runs no other.
        if app is not None and str(app.value).partition(":")[0] not in (f"{self.service}.celery", self.service):
            return f"its application is {app.value}, not Open edX's"
        if isinstance(self.command.option("--workdir"), (Known, Unknown)):
            return "its --workdir may have other settings"
        return "settings stand behind the options" if self.command.overrides else ""

    @property
    def _module(self) -> Value:
        module = self.environment.get("DJANGO_SETTINGS_MODULE")
        if isinstance(module, Unknown) and module.may_be_unset:
            module = None
        # Tutor's image has it for lms; its Deployments state it for both.
        return Known(value=tutors_settings(self.service), source=self.container) if module is None else module

    @functools.cached_property
    def env_file(self) -> MountedFile | Unknown:
        """The ``lms.env.yml`` or ``cms.env.yml`` that the container reads."""
        name = f"{self.service}.env.yml"
        path = self.environment.get(ENV_FILE_VARIABLES[self.service])
        if isinstance(path, Unknown) and not path.may_be_unset:
            return path
        # Where the image has it by itself (Tutor's Dockerfile).
        tutors = f"/openedx/config/{name}"
        place = str(path.value) if isinstance(path, Known) else tutors
        found = self._mounts.file(place) or (self._unmounted(name) if place == tutors else None)
        elsewhere = self.container.replace(field=f"{self.container.field}.volumeMounts")
        source = EDX_PLATFORMS if place == tutors else elsewhere
        return found or Unknown(reason=f"nothing of the build is mounted at {place}", source=source)

    @property
    def mounted_env_file(self) -> MountedFile | None:
        """The same file, None where the build doesn't have it."""
        return None if isinstance(self.env_file, Unknown) else self.env_file

    def _unmounted(self, key: str) -> MountedFile | None:
        """Return the file from Tutor's ConfigMap, for a container that mounts nothing at its path."""
        for resource in self._resources.generated("ConfigMap", CONFIG_MAP, self._owner.namespace):
            text = lookup(resource.tree, "data", key)
            if isinstance(text, str):
                return MountedFile(text=str(text), owner=resource, key=key)
        return None

    @functools.cached_property
    def _tokens(self) -> tuple[Table | Opaque, dict[str, Source]]:
        file = self.env_file
        if isinstance(file, Unknown):
            return Opaque(file.reason), {}
        tokens = edx_platform.read_tokens(file.text)
        if isinstance(tokens, Opaque):
            return tokens, {}
        return tokens, _places(file.text, file.source)

    @functools.cached_property
    def _origin(self) -> Hashable:
        """What Open edX's own settings depend on: the service, and its env.yml."""
        file = self.env_file
        return self.service, file.reason if isinstance(file, Unknown) else (file.text, file.source)


def _table(value: Any) -> Table | None:
    """Return a mapping, which Celery takes as pairs, too; None where it is neither."""
    if isinstance(value, (list, tuple)):
        return Table({pair[0]: pair[1] for pair in value if isinstance(pair, tuple) and len(pair) == len(("key", ""))})
    return value if isinstance(value, Table) else None


@functools.lru_cache(maxsize=16)
def _places(text: str, source: Source) -> dict[str, Source]:
    """Return the source of each key of an env.yml; cached, since all workers of a service share the file."""
    return {key: source.replace(line=line) for key, line in edx_platform.lines(text).items()}
