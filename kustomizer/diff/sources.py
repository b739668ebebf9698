"""Reads the two builds of a comparison: from files, directories of manifests, overlays and Git revisions."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from kustomizer.diff.git import Repository, repository
from kustomizer.diff.revision import Tree
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.build import RefusedBuildError, build, causes_of
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.fields import is_kustomization
from kustomizer.manifests.lists import without_lists
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.stream import read_documents
from kustomizer.record import Record
from kustomizer.system.threads import threads
from kustomizer.tutor_env.staleness import is_tutor_env

STDIN = "-"
ALLOW_FILE = ".tutor-kustomizer-allow-exec"
"""At the top of a repository: the programs that a build may run, one on each line."""
_OTHER_ENV = "Name Tutor's root as it was then with --base-tutor-root, or have Tutor render both sides with --render"
_SUFFIXES = (".yaml", ".yml", ".json")
_SHOWN_OF_A_COMMIT = 12


class ComparedBuild(Record):
    """One of the two builds, with its name in reports."""

    label: str
    resources: Resources
    files: Sequence[tuple[str, Sequence[Resource]]] = ()
    """The files that it was read from, by name, and what each holds."""
    notes: str = ""
    """The messages of kustomize, and of us."""
    warnings: Sequence[Problem] = ()
    """The messages of the function."""
    directories: Sequence[str] = ()
    """The directories that took part in its build, without links in their paths."""


class RevisionOptions(Record):
    """The command line's options for a comparison with a Git revision."""

    revision: str
    overlay: Path
    base_tutor_root: Path | None = None
    render: bool = False
    allow_render: bool = False
    """Whether Tutor may render with a configuration that isn't the base's: its values are templates, which are code."""
    tutor: str = "tutor"


def read_both(before: str, after: str, find: Callable[[], Kustomize]) -> tuple[ComparedBuild, ComparedBuild]:
    """Return the builds that two arguments name; ``find`` returns the kustomize that builds overlays.

    Two overlays are built at the same time. Raises UserError where a path isn't there, or isn't a build.
    """
    texts: dict[str, str] = {}
    with threads(2) as pool:
        first, second = (pool.submit(_read, name, find, texts) for name in (before, after))
        return _results(first.result, second.result)


def read_revision(options: RevisionOptions, find: Callable[[], Kustomize]) -> tuple[ComparedBuild, ComparedBuild]:
    """Return an overlay's build at a revision, and its build in the working tree.

    Raises UserError where there is no such revision, or something can't be built.
    """
    overlay = options.overlay.resolve()
    checkout = repository(overlay)
    commit = checkout.commit(options.revision)
    if options.render and not options.allow_render:
        _refuse_to_render(checkout, commit, options.revision)
    kustomize = _with_list_of_base(find(), checkout, commit)
    with tempfile.TemporaryDirectory(prefix="tutor-kustomizer-") as directory:
        top = Path(directory).resolve()
        base = Tree(mirror=top / "base", repository=checkout, overlay=overlay)
        base.top.mkdir(parents=True)
        checkout.check_out(commit, base.top)
        how = _add_to_base(base, options)
        head = _rendered_head(top / "head", checkout, overlay, options.tutor) if options.render else overlay
        if not base.root.is_dir():
            _refuse_ignored(overlay, checkout)
            # The report says so, since every object of a renamed overlay is new.
            how = ", where it isn't there yet"
        name = _name(overlay, checkout)
        known_as = {str(top / "base"): "", str(top / "head"): ""}
        for mirror in known_as:
            kustomize = kustomize.replace(permissions=kustomize.permissions.moved(mirror))
        with threads(2) as pool:
            texts: dict[str, str] = {}
            before = pool.submit(_build_base, base, kustomize, f"{name} at {options.revision}", texts)
            after = pool.submit(_build, head, kustomize, name, texts)
            sources = _results(before.result, after.result, known_as)
    short = commit[:_SHOWN_OF_A_COMMIT]
    at = options.revision if commit.startswith(options.revision) else f"{options.revision} ({short})"
    changed = ", with uncommitted changes" if checkout.is_changed() else ""
    return (
        sources[0].replace(label=f"{name} at {at}{how}"),
        sources[1].replace(label=f"{name} in the working tree{changed}"),
    )


def with_file(error: UserError, builds: Iterable[ComparedBuild]) -> UserError:
    """Return the error of an object that can't be parsed, with its file; any other ``error`` as it is.

    Objects are parsed when a comparison needs them.
    """
    for compared in builds:
        for name, resources in compared.files:
            for resource in resources:
                try:
                    _ = resource.tree
                except UserError as cause:
                    location = f"{name}: {resource.ref}, lines counted from its first one"
                    return cause.within(location)
    return error


def _refuse_to_render(checkout: Repository, commit: str, revision: str) -> None:
    """Raise UserError where the working tree holds what isn't in the base's history."""
    if checkout.is_changed() or not checkout.is_ancestor("HEAD", commit):
        raise UserError.of(
            f"the working tree isn't a part of {revision}: --render would have Tutor run the templates in "
            "its config.yml, which are code",
            remedy="Whoever trusts its author gives --allow-render",
        )


def _with_list_of_base(kustomize: Kustomize, checkout: Repository, commit: str) -> Kustomize:
    """Return ``kustomize`` with the permissions that the repository lists at the base; a branch can't add to them."""
    lines = (checkout.text(commit, Path(ALLOW_FILE)) or "").splitlines()
    programs = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return kustomize.replace(permissions=kustomize.permissions.with_programs(programs, str(checkout.top)))


def _results(
    before: Callable[[], ComparedBuild], after: Callable[[], ComparedBuild], known_as: dict[str, str] | None = None
) -> tuple[ComparedBuild, ComparedBuild]:
    """Return both builds. Raises UserError with the problems of both, with directories as the user knows them."""
    problems: list[Problem] = []
    causes: list[Problem] = []
    builds: list[ComparedBuild] = []
    for result in (before, after):
        try:
            builds.append(result())
        except UserError as error:
            problems += error.problems
            causes += causes_of(error)
    for directory, name in (known_as or {}).items():
        problems = [problem.replace(message=problem.message.replace(directory, name)) for problem in problems]
    if problems:
        raise RefusedBuildError(*dict.fromkeys(problems), causes=tuple(dict.fromkeys(causes)))
    return builds[0], builds[1]


def _add_to_base(base: Tree, options: RevisionOptions) -> str:
    """Add what a commit lacks, and return in words where it comes from."""
    if options.base_tutor_root is not None:
        env = options.base_tutor_root / "env"
        if not is_tutor_env(env):
            raise UserError.of(f"{env} isn't what Tutor writes", remedy="Run `tutor config save` for that root first")
        base.add_what_git_lacks()
        for path in base.tutor_envs():
            base.put_env(path, env)
        return f", {env} in the place of its own"
    if options.render:
        for path in base.tutor_envs():
            base.render_env(path, options.tutor)
        base.add_what_git_lacks()
        return ", both rendered by `tutor config save`"
    brought = base.add_what_git_lacks()
    names = ", ".join(_name(path, base.repository) for path in brought)
    return f", {names} from the working tree" if names else ""


def _rendered_head(mirror: Path, checkout: Repository, overlay: Path, tutor: str) -> Path:
    """Return the overlay in a copy of the working tree in which Tutor rendered its files anew."""
    head = Tree(mirror=mirror, repository=checkout, overlay=overlay)
    for file in checkout.files():
        source, place = checkout.top / file, head.top / file
        if source.is_symlink() or source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place, follow_symlinks=False)
    for path in head.tutor_envs():
        head.render_env(path, tutor)
    head.add_what_git_lacks()
    return head.root


def _read(name: str, find: Callable[[], Kustomize], texts: dict[str, str]) -> ComparedBuild:
    path = Path(name)
    if name == STDIN:
        data = io.BytesIO(sys.stdin.buffer.read())
        return _of_files("standard input", [("standard input", _resources(data, "standard input", texts))])
    if path.is_dir():
        if is_kustomization(path):
            return _build(path, find(), name, texts)
        return _of_files(name, _in_directory(path, texts))
    if not path.exists():
        raise UserError.of(f"{name} isn't there")
    return _of_files(name, [(name, _in_file(path, texts))])


def _of_files(label: str, files: Iterable[tuple[str, Sequence[Resource]]]) -> ComparedBuild:
    files = list(files)
    names: dict[tuple[str, str, str, str], str] = {}
    for name, resources in files:
        for resource in resources:
            earlier = names.setdefault(resource.identity, name)
            if earlier != name:
                problem = Problem(message=f"{earlier} and {name} both hold this object", resource=resource.ref)
                raise UserError(problem.replace(remedy="Leave one of the two out"))
    return ComparedBuild(label=label, resources=Resources(item for _, own in files for item in own), files=files)


def _in_file(path: Path, texts: dict[str, str]) -> list[Resource]:
    with path.open("rb") as file:
        # A shell's <(command) can be read once only.
        return _resources(file if file.seekable() else io.BytesIO(file.read()), str(path), texts)


def _in_directory(directory: Path, texts: dict[str, str]) -> Iterator[tuple[str, list[Resource]]]:
    files = sorted(path for path in directory.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    if not files:
        raise UserError.of(f"{directory} holds neither a kustomization nor manifests")
    top = directory.resolve()
    for file in files:
        if not file.resolve().is_relative_to(top):
            raise UserError.of(f"{file} is a link that leads out of {directory}")
        yield str(file), _in_file(file, texts)


def _refuse_ignored(overlay: Path, checkout: Repository) -> None:
    """Raise UserError where the overlay is an env/ of Tutor's that no commit holds."""
    if is_tutor_env(overlay) and checkout.ignores(overlay):
        raise UserError.of(
            f"Git ignores {_name(overlay, checkout)}, so that there is none of another revision", remedy=_OTHER_ENV
        )


def _build_base(base: Tree, kustomize: Kustomize, label: str, texts: dict[str, str]) -> ComparedBuild:
    """Build the overlay of ``base``; it is empty where it isn't there at that revision."""
    if not base.root.is_dir():
        return ComparedBuild(label=label, resources=Resources([]), notes=f"{label}: not there yet\n")
    try:
        return _build(base.root, kustomize, label, texts)
    except UserError:
        absent = base.absent()
        if not absent:
            raise
        names = ", ".join(_name(path, base.repository) for path in absent)
        remedy = _OTHER_ENV if any(map(is_tutor_env, absent)) else "Compare with a revision that holds it"
        message = f"{label} names {names}, which that revision doesn't hold: it was committed later, or not yet"
        raise UserError.of(message, remedy=remedy) from None


def _build(overlay: Path, kustomize: Kustomize, label: str, texts: dict[str, str]) -> ComparedBuild:
    # A site that isn't split yet doesn't list the function; a rule finds a function that was skipped.
    built = build(overlay, kustomize, needs_function=False)
    resources = _resources(io.BytesIO(built.data), label, texts)
    return _of_files(label, [(label, resources)]).replace(
        notes=built.other_notes, warnings=built.problems, directories=built.directories
    )


def _resources(file: IO[bytes], name: str, texts: dict[str, str]) -> list[Resource]:
    try:
        return list(Resources(without_lists(read_documents(file, texts))))
    except UserError as error:
        raise UserError(
            *(problem.replace(message=f"{name}: {problem.message}") for problem in error.problems)
        ) from None


def _name(path: Path, checkout: Repository) -> str:
    return str(path.relative_to(checkout.top)) if path.is_relative_to(checkout.top) else str(path)
