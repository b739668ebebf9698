"""The KRM function: resources and a CeleryWorkers configuration in, the resources of a split site out.

It speaks both protocols that kustomize has for executables: the exec function's ResourceList, and the legacy exec
plugin's configuration file and stream of documents.
"""

from __future__ import annotations

import gc

# The process is over before garbage could matter; looking for it, during the imports as well, takes a twentieth of the
# time.
gc.disable()

import sys

# `importlib` has these under public names, all but the last, and takes a millisecond to import. In public there is only
# marshal.loads() for that one, which leaves the file names in the code as they were when it was compiled.
try:
    from _frozen_importlib import ModuleSpec
    from _frozen_importlib_external import (  # type: ignore[attr-defined]  # typeshed lacks the last one
        MAGIC_NUMBER,
        SourceFileLoader,
        _compile_bytecode,
    )
except ImportError:  # in a Python to come: it loads all itself
    MAGIC_NUMBER, ModuleSpec, SourceFileLoader = b"", object, object  # type: ignore[misc,assignment]
from posix import O_RDONLY, _exit, close, environ, open as open_file, read, stat  # os would be one more module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from kustomizer.manifests.protocols import Input

_MOST = 1 << 16


class _Loader(SourceFileLoader):
    """Loads a module from the byte code that Python has kept, in half of Python's own steps.

    Python is left to do so itself where there is no byte code, or not that of the source as it is now.
    """

    kept: str
    """The file of byte code."""
    head: bytes
    """How that file begins: Python's version, no hash, and the time and size of the source
    (https://peps.python.org/pep-0552/)."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code, as importlib asks for it."""
        try:
            file = open_file(self.kept, O_RDONLY)
        except OSError:
            return super().get_code(fullname)
        data = read(file, _MOST)
        close(file)
        if data[:16] != self.head or len(data) == _MOST:
            return super().get_code(fullname)
        try:
            code: CodeType = _compile_bytecode(memoryview(data)[16:], fullname, self.kept, self.path)
        except Exception:  # whatever it is, Python says it better
            return super().get_code(fullname)
        return code


class _Finder:
    """Finds this package's modules by their names.

    Python's own finder lists each directory and looks for C extensions first. A module that isn't a file
    of this kind is left to it. Finder and loader save a tenth of the function's time.
    """

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _target: object = None) -> ModuleSpec | None:
        """Return where the module ``name`` is, as importlib asks for it."""
        if path is None or not name.startswith("kustomizer."):
            return None
        module = name.rpartition(".")[2]
        package = f"{path[0]}/{module}"
        for directory, file, inside in ((path[0], module, None), (package, "__init__", [package])):
            source = f"{directory}/{file}.py"
            try:
                status = stat(source)
            except OSError:
                continue
            loader = _Loader(name, source)
            loader.head = _HEAD + _four_bytes(int(status.st_mtime)) + _four_bytes(status.st_size)
            loader.kept = f"{directory}/__pycache__/{file}.{sys.implementation.cache_tag}.pyc"
            spec = ModuleSpec(name, loader, origin=source)
            spec.submodule_search_locations = inside
            spec.has_location = True
            spec.cached = loader.kept
            return spec
        return None


_HEAD = MAGIC_NUMBER + bytes(4)


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


# Otherwise byte code is elsewhere.
if MAGIC_NUMBER and sys.implementation.cache_tag and not (sys.flags.optimize or sys.pycache_prefix):
    sys.meta_path.insert(0, _Finder)

from kustomizer import REPORT
from kustomizer.config.load import load
from kustomizer.errors import ERROR, Problem, UserError
from kustomizer.manifests.protocols import (
    plain_config,
    read_resource_list,
    read_stream,
    write_resource_list,
    write_stream,
)
from kustomizer.manifests.resource import Resources
from kustomizer.record import Record
from kustomizer.transform.pipeline import transform


class Output(Record):
    """The function's answer: the data for stdout, and the problems for the user."""

    data: bytes
    problems: Sequence[Problem]

    @property
    def failed(self) -> bool:
        """Whether a problem is an error, so that nothing was changed."""
        return any(problem.severity == ERROR for problem in self.problems)


def run_resource_list(data: bytes) -> Output:
    """Run on a ResourceList. Where something is refused, the items come back unchanged, with the ``results``."""
    try:
        task = read_resource_list(data)
    except UserError as error:
        return Output(data=b"", problems=error.problems)
    problems: Sequence[Problem]
    try:
        resources, problems = _run(task)
        output = write_resource_list(task, resources, problems)
    except UserError as error:
        # Read again: the trees may have been changed already.
        problems = error.problems
        untouched = read_resource_list(data)
        output = write_resource_list(untouched, untouched.resources, problems)
    return Output(data=output, problems=problems)


def run_stream(data: bytes, config: bytes) -> Output:
    """Run as a legacy exec plugin: ``config`` is the plugin's own file, ``data`` a stream of documents."""
    try:
        resources, problems = _run(read_stream(data, config))
        return Output(data=write_stream(resources), problems=problems)
    except UserError as error:
        return Output(data=b"", problems=error.problems)


def _run(task: Input) -> tuple[Resources, list[Problem]]:
    config = load(plain_config(task.config))
    resources = Resources(task.resources)
    return resources, transform(resources, config)


def _append(report: bytes, *parts: bytes) -> None:
    with open(report, "ab") as file:  # noqa: PTH123 - pathlib costs 5 ms to import
        file.write(b"".join(parts))


def _tell(report: bytes, data: bytes, output: Output) -> None:
    """Append what the function was given, made and said; what it refused was neither given nor made."""
    protocol = "refused" if output.failed else "stream" if len(sys.argv) > 1 else "list"
    given, made = (b"", b"") if output.failed else (data, output.data)
    said = b""
    if output.problems:
        from kustomizer.manifests.problem_list import write_problems  # noqa: PLC0415 - most builds say nothing

        said = write_problems(output.problems)
    _append(report, f"{protocol} {len(given)} {len(made)} {len(said)}\n".encode(), given, made, said)


def _answer_person() -> None:
    """Answer a person, who gives options or no input, and exit."""
    from kustomizer.function_help import answer  # noqa: PLC0415 - kustomize never needs it

    reply = answer(sys.argv[1:])
    print(reply.text, end="", file=sys.stderr if reply.status else sys.stdout)
    sys.exit(reply.status)


def main() -> None:
    """Run the function as kustomize does, and end the process."""
    status = run()
    # Python's own clean-up takes a millisecond or two, and only frees memory that is about to be freed.
    _exit(status)


def run() -> int:
    """Read, answer, and return the exit status. A legacy exec plugin gets the configuration's path as its argument."""
    if (len(sys.argv) > 1 and sys.argv[1].startswith("-")) or not sys.stdin or sys.stdin.isatty():
        _answer_person()
    report = environ.get(REPORT.encode())
    if report is not None:
        _append(report)
    data = sys.stdin.buffer.read()
    if len(sys.argv) > 1:
        try:
            with open(sys.argv[1], "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms to import
                config = file.read()
        except OSError as error:
            message = f"can't read the configuration {sys.argv[1]}: {error.strerror}"
            output = Output(data=b"", problems=[Problem(message=message)])
        else:
            output = run_stream(data, config)
    else:
        output = run_resource_list(data)
    messages = "".join([f"tutor-celery-workers: {problem.severity}: {problem}\n" for problem in output.problems])
    if report is not None:
        _tell(report, data, output)
    if messages and sys.stderr:
        sys.stderr.write(messages)
        sys.stderr.flush()
    sys.stdout.buffer.write(output.data)
    sys.stdout.buffer.flush()
    return 1 if output.failed else 0
