"""docs/architecture.md and CONTRIBUTING.md say what is there: the layers, the files, the names in them."""

from __future__ import annotations

import re

import pytest

from tests import sites
from tests.docs.pages import page
from tests.test_packages import floors

TEXT = page("architecture")
PAGES = {"docs/architecture.md": TEXT, "CONTRIBUTING.md": (sites.ROOT / "CONTRIBUTING.md").read_text()}
INDEX = re.findall(r"(?m)^\| ([^|]+) \| (\[kustomizer/[^|]+) \| ([^|]+) \|$", TEXT.partition("## Where do I find")[2])
# Names of the walk as `module.name`, in backticks.
WALK = TEXT.partition("## One build")[2].partition("## The two protocols")[0]


def defines(text: str, name: str) -> bool:
    """Tell whether a module's text defines ``name``, or holds it as it stands where it isn't one word."""
    if not name.isidentifier():
        return name in text
    return re.search(rf"(?m)^ *(?:def|class) {name}\b|^ *{name}(?::[^=\n]+)? = ", text) is not None


def test_the_picture_is_the_contract() -> None:
    (picture,) = re.findall(r"(?ms)^```mermaid\n(.*?)^```$", TEXT)
    chain = [label.split(" · ") for label in re.findall(r'\["(.+?)"\]', picture)]
    assert chain == floors()


def test_the_table_is_the_contract() -> None:
    table = TEXT.partition("| layer | what it owns |\n")[2].partition("\n\n")[0]
    assert re.findall(r"(?m)^\| `(\w+)` \|", table) == [name for layer in floors() for name in layer]


@pytest.mark.parametrize("name", PAGES)
def test_every_path_is_there(name: str) -> None:
    """Paths in backticks; links are tests/docs/test_links.py's."""
    code = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", PAGES[name]))
    # The first part has no dot, which a group of Kubernetes' has; but for that of .github and its like.
    paths = [each for each in code if re.fullmatch(r"\.?[\w-]+(/[\w.-]*)+", each) and "NAME" not in each]
    assert paths
    missing = [each for each in paths if not _is_there(each)]
    assert missing == []


def _is_there(path: str) -> bool:
    """Tell whether a path from the root, or a module from the package, is there."""
    # What `make` makes isn't in the repository.
    if path.startswith((".tools/", ".venv/")):
        return True
    below = sites.ROOT / "kustomizer" / path
    return any(place.exists() for place in (sites.ROOT / path, below, below.with_suffix(".py")))


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (sites.ROOT / "Makefile").read_text()))
    named = {target for text in PAGES.values() for target in re.findall(r"\bmake ([a-z-]+)`", text)}
    assert len(named) > 5
    assert named - targets == set()


def test_the_tests_that_are_named_are_there() -> None:
    commands = re.findall(
        r"(?m)^    \.venv/bin/pytest (\S+?)(?:::(\w+))?(?: -k (\S+)| --\S+)?$", PAGES["CONTRIBUTING.md"]
    )
    assert len(commands) == 4
    for path, name, word in commands:
        text = (sites.ROOT / path).read_text()
        assert not name or defines(text, name)
        # A golden case, by which test_function.py's tests are called.
        assert not word or (sites.ROOT / "tests" / "golden" / word).is_dir()


def test_the_index_is_long_enough() -> None:
    assert len(INDEX) >= 40


@pytest.mark.parametrize(("behaviour", "files", "names"), INDEX)
def test_what_the_index_names_is_there(behaviour: str, files: str, names: str) -> None:
    texts = [(sites.ROOT / path).read_text() for path in re.findall(r"\]\(\.\./([^)]+)\)", files)]
    for name in re.findall(r"`([^`]+)`", names):
        assert any(defines(text, name) for text in texts), f"{behaviour}: {name}"


def test_what_the_walk_names_is_there() -> None:
    named = re.findall(r"`(\w+)\.(\w+)`", WALK)
    assert len(named) > 20
    modules: dict[str, list[str]] = {}
    for path in (sites.ROOT / "kustomizer").rglob("*.py"):
        modules.setdefault(path.stem, []).append(path.read_text())
    modules["Resource"] = modules["resource"]
    assert [f"{module}.{name}" for module, name in named if not any(defines(t, name) for t in modules[module])] == []


def test_a_name_that_is_gone_is_found() -> None:
    module = "def there() -> None:\n    pass\nLIMIT = 3\n"
    assert defines(module, "there")
    assert defines(module, "LIMIT")
    assert not defines(module, "gone")
    assert not defines(module, "pass")
