"""Where kustomize runs: with our own function in the place of what an overlay names, and with little else at hand.

A build that runs our function alone needs nothing of the user's environment, so it isn't given any of it: neither
programs that kustomize would call (git, docker, helm), nor variables, which in CI hold credentials.
"""

from __future__ import annotations

import os
import sys

from kustomizer import API_VERSION, DIRECTORY, KIND, REPORT
from kustomizer.kustomize.programs import OWN_COMMAND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLUGIN_HOME = "KUSTOMIZE_PLUGIN_HOME"
"""Names the directory of the legacy plugins."""

_MEMORY_FOR_TIME = "400"
"""What GOGC is for kustomize: Go's garbage collector, which by default (100) is a third of a build's CPU time, lets the
heap grow to five times what is in use. That is 150 MB for a site with every plugin."""
_OF_GO = ("GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG")
_REFUSED = ("git", "docker", "helm")
"""What kustomize runs for bases, functions and charts that are elsewhere."""
_BINARY = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How executables begin on Linux and macOS."""

_FUNCTION = """\
#!/bin/sh
exec {python} -I -S -c 'import sys
sys.path.append(sys.argv.pop(1))
from kustomizer.function import main
main()' {root} "$@"
"""
"""The function that is a part of this package, whatever others are installed. -I: neither variables nor the directory
of the build may change what is run; -S: installed packages cost a few milliseconds to look for."""


def report_path(scratch: str) -> str:
    """Return the file that the function writes its report into."""
    return f"{scratch}/report"


def make_environment(scratch: str, executable: str, *, is_open: bool) -> dict[str, str]:
    """Fill the directory ``scratch`` with what a build needs, and return the environment of ``executable``, kustomize.

    With ``is_open`` it gets the user's environment: what was allowed to run may need that.
    """
    programs = f"{scratch}/bin"
    os.mkdir(programs)  # noqa: PTH102 - pathlib costs 5 ms to import
    function = f"{programs}/{OWN_COMMAND}"
    root = os.path.dirname(os.path.abspath(DIRECTORY))  # noqa: PTH100, PTH120
    _write_program(function, _FUNCTION.format(python=_quoted(sys.executable), root=_quoted(root)))
    # For generators/celery-workers, where this package is run from its repository.
    _write_program(f"{programs}/python3", f'#!/bin/sh\nexec {_quoted(sys.executable)} "$@"\n')
    home = f"{scratch}/plugin"
    group, version = API_VERSION.split("/")
    os.makedirs(f"{home}/{group}/{version}/{KIND.lower()}")  # noqa: PTH103
    os.symlink(function, f"{home}/{group}/{version}/{KIND.lower()}/{KIND}")  # noqa: PTH211
    if is_open:
        environment = {**os.environ, "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}"}
    elif _is_binary(executable):
        environment = {name: os.environ[name] for name in _OF_GO if name in os.environ}
        environment |= {"PATH": programs, "HOME": scratch}
    else:
        # A script that looks for kustomize needs what its author had.
        for name in _REFUSED:
            _write_program(f"{programs}/{name}", f"#!/bin/sh\necho 'not allowed: {name}' >&2\nexit 1\n")
        environment = {**os.environ, "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}"}
    environment |= {PLUGIN_HOME: home, "TMPDIR": scratch, REPORT: report_path(scratch)}
    if "GOMEMLIMIT" not in environment:
        environment.setdefault("GOGC", _MEMORY_FOR_TIME)
    return environment


def _write_program(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _quoted(word: str) -> str:
    """Return ``word`` as the shell reads it; shlex costs more to import than all this takes."""
    return "'" + word.replace("'", "'\\''") + "'"


def _is_binary(executable: str) -> bool:
    """Tell whether ``executable`` is kustomize (or kubectl) itself, and no script or manager of versions before it."""
    path = os.path.realpath(executable)
    if not os.path.basename(path).startswith(("kustomize", "kubectl")):  # noqa: PTH119
        return False
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(4) in _BINARY
    except OSError:
        return False  # what can't be run is said where it is run


def link_plugins(place: str, plugins: Iterable[str]) -> None:
    """Link these of the user's legacy plugins, named by API version and kind, into the plugin home ``place``."""
    theirs = next(filter(os.path.isdir, _plugin_homes()), None)
    for plugin in plugins if theirs else ():
        api_version, _, kind = plugin.rpartition("/")
        directory = f"{api_version}/{kind.lower()}"
        os.makedirs(f"{place}/{api_version}", exist_ok=True)  # noqa: PTH103 - pathlib costs 5 ms to import
        os.symlink(os.path.abspath(f"{theirs}/{directory}"), f"{place}/{directory}")  # noqa: PTH100, PTH211


def _plugin_homes() -> Iterator[str]:
    """Yield where kustomize looks for legacy plugins, in its order (konfig.DefaultAbsPluginHome in its api)."""
    if "KUSTOMIZE_PLUGIN_HOME" in os.environ:
        yield os.environ["KUSTOMIZE_PLUGIN_HOME"]
    if os.environ.get("XDG_CONFIG_HOME"):
        yield f"{os.environ['XDG_CONFIG_HOME']}/kustomize/plugin"
    home = os.environ.get("HOME") or "~"
    yield f"{home}/.config/kustomize/plugin"
    yield f"{home}/kustomize/plugin"
