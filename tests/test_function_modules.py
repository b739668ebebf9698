"""How the function finds and loads its own modules: as Python would, whatever there is of byte code, and faster."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import builds, sites
from tests.golden_cases import GOLDEN, Case

if TYPE_CHECKING:
    from collections.abc import Callable

RECOMMENDED = Case(GOLDEN / "recommended")
MODULE = "config/reader.py"
"""One of those that are always imported."""

FOUND = """
import importlib.machinery, sys
from kustomizer import function

assert function.run() == 0
package = sys.modules["kustomizer"].__path__[0]
assert not [place for place in sys.path_importer_cache if place.startswith(f"{package}/")]
for name, module in list(sys.modules.items()):
    if name.startswith("kustomizer."):
        path = sys.modules[name.rpartition(".")[0]].__path__
        usual, ours = importlib.machinery.PathFinder.find_spec(name, path), module.__spec__
        for field in ("name", "origin", "cached", "has_location", "submodule_search_locations", "parent"):
            assert getattr(ours, field) == getattr(usual, field), (name, field)
        assert isinstance(ours.loader, type(usual.loader)), name
try:
    import kustomizer.no_such_module
except ModuleNotFoundError:
    sys.exit(3)
"""


def test_modules_are_found_as_python_finds_them_without_listing_directories() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOUND],
        input=RECOMMENDED.resource_list,
        env={**os.environ, "PYTHONPATH": str(sites.ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (3, "")


# Says which files Python's own loader reads of the package.
WATCHED = """
import sys
from _frozen_importlib_external import SourceFileLoader
sys.path.insert(0, sys.argv.pop(1))
get_data = SourceFileLoader.get_data
def watched(self, path):
    if "/kustomizer/" in path:
        print(path.rpartition("/kustomizer/")[2], file=sys.stderr)
    return get_data(self, path)
SourceFileLoader.get_data = watched
from kustomizer import function
sys.exit(function.run())
"""


def run(package: Path, *options: str) -> tuple[str, set[str]]:
    """Return what the function says to the recommended configuration, and the files that Python's own loader read."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", *options, "-c", WATCHED, package.parent],
        input=RECOMMENDED.resource_list.decode(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.splitlines())


OURS = ("config", "manifests", "openedx", "transform", "worker_command")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the function imports, with the byte code that Python keeps of it."""
    copy = tmp_path_factory.mktemp("compiled") / "kustomizer"
    source = sites.ROOT / "kustomizer"
    for name in OURS:
        shutil.copytree(source / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in source.glob("*.py"):
        shutil.copy2(file, copy)
    run(copy)
    return copy


@pytest.fixture
def package(compiled: Path, tmp_path: Path) -> Path:
    """Return a copy of one's own."""
    return Path(shutil.copytree(compiled, tmp_path / "kustomizer"))


def kept(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source)))


DOORS = {f"__pycache__/{name}.{sys.implementation.cache_tag}.pyc" for name in ("__init__", "function")}
"""What is imported before there is a loader of our own."""


def test_byte_code_is_read_by_our_own_loader(package: Path) -> None:
    assert run(package)[1] == DOORS


def remove(source: Path) -> None:
    kept(source).unlink()


def change_the_source(source: Path) -> None:
    source.write_text(f"{source.read_text()}\nprint('changed', flush=True)\n")


def make_it_another_pythons(source: Path) -> None:
    kept(source).write_bytes(b"ABCD" + kept(source).read_bytes()[4:])


def hold_it_to_a_hash(source: Path) -> None:
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)


def make_it_long(source: Path) -> None:
    source.write_text(f"{source.read_text()}\n_LONG = {'x' * 70_000!r}\n")
    py_compile.compile(str(source))


@pytest.mark.parametrize(
    ("make", "reads_source", "more"),
    [
        (remove, True, ""),
        (change_the_source, True, "changed\n"),
        (make_it_another_pythons, True, ""),
        (hold_it_to_a_hash, True, ""),
        (make_it_long, False, ""),
    ],
)
def test_other_byte_code_is_left_to_python(
    make: Callable[[Path], None], reads_source: bool, more: str, package: Path
) -> None:
    usual, _ = run(package)
    source = package / MODULE
    make(source)

    said, read = run(package)

    assert said == more + usual
    assert (MODULE in read) == reads_source
    assert read - DOORS - {MODULE, kept(source).relative_to(package).as_posix()} == set()


def test_what_python_has_compiled_is_kept(package: Path) -> None:
    shutil.rmtree(package / "config" / "__pycache__")
    assert MODULE in run(package)[1]
    assert run(package)[1] == DOORS


def test_byte_code_that_nobody_holds_to_its_source_is_taken_as_python_takes_it(package: Path) -> None:
    source = package / MODULE
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    change_the_source(source)

    assert "changed" not in run(package)[0]


def test_byte_code_that_is_kept_elsewhere_is_left_to_python(package: Path, tmp_path: Path) -> None:
    said, read = run(package, "-X", f"pycache_prefix={tmp_path / 'elsewhere'}")
    assert said == run(package)[0]
    assert MODULE in read
    assert run(package, "-O")[0] == said


def test_a_traceback_names_the_files_of_a_package_that_was_moved(package: Path) -> None:
    package.parent.joinpath("elsewhere").mkdir()
    moved = package.rename(package.parent / "elsewhere" / "kustomizer")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from kustomizer import function; function.run_stream(None, b'')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, moved.parent], capture_output=True, text=True, check=False
    )

    assert f'File "{moved}/manifests/protocols.py"' in done.stderr
    assert str(package) not in done.stderr


ANOTHER_PYTHON = """
import sys, types
import _frozen_importlib_external as real
names = types.SimpleNamespace(**eval(sys.argv.pop(), dict(vars(real))))
sys.path.insert(0, sys.argv.pop())
sys.modules["_frozen_importlib_external"] = names
from kustomizer import function
sys.exit(function.run())
"""


@pytest.mark.parametrize(
    "names",
    [
        "{}",
        "dict(MAGIC_NUMBER=MAGIC_NUMBER, SourceFileLoader=SourceFileLoader)",
        "dict(MAGIC_NUMBER=MAGIC_NUMBER, SourceFileLoader=SourceFileLoader, _compile_bytecode=lambda data: None)",
    ],
)
def test_a_python_without_what_the_loader_needs_loads_everything_itself(names: str, package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ANOTHER_PYTHON, package.parent, names],
        input=RECOMMENDED.resource_list.decode(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (run(package)[0], "")


SLOW = {"ast", "collections", "enum", "functools", "inspect", "json", "pathlib", "re", "typing", "yaml"}
"""What takes longer to import than the function to work: nothing that Tutor writes is to need one of them."""
KEDA = "{defaults: {keda: {enabled: true, replaceHPA: true}}, workers"
WITH_KEDA = builds.HEAD + builds.EXEC + builds.RECOMMENDED.replace("{workers", KEDA)


@pytest.mark.parametrize("name", sites.SITES)
def test_a_site_that_tutor_writes_needs_nothing_slow(name: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(sites.ROOT)!r})\nfrom kustomizer import function\n"
    code += f"assert not function.run()\nsys.stderr.write(repr({SLOW!r} & set(sys.modules)))"
    given = sites.function_input(sites.kustomize(sites.NEWEST), sites.site(name), WITH_KEDA)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], input=given, capture_output=True, check=True)
    assert done.stderr.decode().splitlines()[-1] == "set()"
