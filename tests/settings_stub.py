"""Imports a settings module with a stub in place of edx-platform, and prints what it set as JSON.

It is a program: `settings_stub.py <edx-platform> <module> <JSON of the settings below>`. Every module that isn't in
<edx-platform> exists and has whatever is asked of it, but for what a file beside the settings module would be.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any


class Anything:
    """A value that bears whatever a settings file does with it; its text says where it came from."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def __repr__(self) -> str:
        return f"<{self._origin}>"

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(f"{self._origin}.{name}")

    def __getitem__(self, key: object) -> Anything:
        return Anything(f"{self._origin}[{key!r}]")

    def __setitem__(self, key: object, value: object) -> None: ...

    def __call__(self, *args: object, **kwargs: object) -> Anything:
        return Anything(f"{self._origin}()")

    def __add__(self, other: object) -> Anything:
        return Anything(f"{self._origin} + {other!r}")

    def __radd__(self, other: object) -> Anything:
        return Anything(f"{other!r} + {self._origin}")

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, item: object) -> bool:
        return False

    def __fspath__(self) -> str:
        return f"/nowhere/{self._origin}"


class FeaturesProxy:
    """What edx-platform's does: features are read from and written to a module's names."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace

    def __repr__(self) -> str:
        return "<FeaturesProxy>"

    def __getitem__(self, key: str) -> Any:
        return self.namespace[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.namespace[key] = value


class StubModule(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name.endswith("Warning"):
            return type(name, (Warning,), {})
        return FeaturesProxy if name == "FeaturesProxy" else Anything(name)


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes each module that nothing else finds; ``settings`` is the package where all has to be real."""

    def __init__(self, settings: str, names: Sequence[str], below: dict[str, Any]) -> None:
        self.settings = settings
        self.names = names
        self.below = below

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find every module outside of the settings package."""
        inside = f"{fullname}.".startswith(f"{self.settings}.")
        return None if inside else importlib.util.spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Make the module."""
        module = StubModule(spec.name)
        # For `import *`, of which only what the settings files use can matter.
        vars(module).update(self.below, __all__=sorted({*self.names, *self.below}))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is nothing in it."""


def used_names(directory: Path) -> list[str]:
    """Return the names that the settings files in ``directory`` use, and so may take from what they import by `*`."""
    names: set[str] = set()
    for file in directory.glob("*production.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                names.add(node.id)
    # Where plugins write `try: EXPLICIT_QUEUES.update(...)`, whether edx-platform has it is for the test to say.
    return sorted(names - vars(builtins).keys() - {"EXPLICIT_QUEUES"})


def main() -> None:
    """Import the module and print its settings."""
    platform, name, below = sys.argv[1:]
    package = name.rpartition(".")[0]
    sys.dont_write_bytecode = True
    sys.path.insert(0, platform)
    names = used_names(Path(platform, *package.split(".")))
    sys.meta_path.append(Stubs(package, names, json.loads(below)))
    # Tutor's settings make the directories of the container that they will be used in.
    os.makedirs = lambda *_args, **_options: None
    module = importlib.import_module(name)
    features = getattr(module, "FEATURES", None)
    values = {key: value for key, value in vars(module).items() if key.isupper()}
    proxy = features.namespace is vars(module) if isinstance(features, FeaturesProxy) else None
    json.dump({"values": values, "features_proxy": proxy}, sys.stdout, default=repr)


if __name__ == "__main__":
    main()
