"""A site that kustomize printed without the function: what the function is given of it, and what is left to do then.

The function sees ConfigMaps and Secrets without the hash behind their names. So the hashes are taken off again; what
the function made or changed is for kustomize to build once more, beside stubs of the ConfigMaps and Secrets that it
refers to, and the rest stays as it was printed. No hash, no reference and no YAML is made here, and where something
isn't as expected, nothing comes of it.

Texts have a character for each byte: one letter that isn't Latin makes Python take two bytes for each.
"""

from __future__ import annotations

from kustomizer.emit import emit
from kustomizer.header import scan_header
from kustomizer.kustomization_fields import GENERATED_KINDS
from kustomizer.kustomization_outline import Unknown
from kustomizer.output_order import sort_key
from kustomizer.record import Record
from kustomizer.resources import NEEDS_HASH_SUFFIX, stem_of
from kustomizer.staged_overlay import CONFIG_PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kustomizer.header import Header

_SEPARATOR = "---\n"
_METADATA = "\nmetadata:\n"
_ANNOTATIONS = "  annotations:\n"
_MARK = f"{NEEDS_HASH_SUFFIX}: enabled"
_PREVIOUS = "internal.config.kubernetes.io/previous"
_QUOTES = str.maketrans("'\"", "  ")
_PART = 100
"""So many objects make the time that kustomize takes for each about what it takes to start."""


class Document(Record):
    """An object as it was printed, and what it is called."""

    text: str
    header: Header

    @property
    def name(self) -> str:
        """Its name."""
        return self.header[3]

    @property
    def is_of_generated_kind(self) -> bool:
        """Whether it is a ConfigMap or a Secret, which refer to nothing."""
        return self.header[0] == "v1" and self.header[1] in GENERATED_KINDS

    def is_hashed(self, generated: set[str]) -> bool:
        """Tell whether kustomize put a hash behind its name; ``generated`` are the names of what it generates.

        Raises Unknown where the name looks like it nevertheless.
        """
        stem = stem_of(self.name)
        if not self.is_of_generated_kind or stem == self.name:
            return False
        if stem not in generated:
            raise Unknown
        return True


class StagedSite:
    """A site as kustomize printed it without the function, and its configurations."""

    def __init__(self, printed: bytes, generated: set[str]) -> None:
        """Read what was ``printed``; ``generated`` are the names of generated ConfigMaps and Secrets."""
        documents = _documents(_texts(_view(printed)))
        self.configs = [_text(each.text.replace(CONFIG_PREFIX, "")) for each in documents if _is_config(each)]
        """The configurations as kustomize would hand them to the function."""
        self._site = [each for each in documents if not _is_config(each)]
        self._hashed = [place for place, each in enumerate(self._site) if each.is_hashed(generated)]
        names = {self._site[place].name: stem_of(self._site[place].name) for place in self._hashed}
        self._given = [each.text if each.is_of_generated_kind else _renamed(each.text, names) for each in self._site]
        for place in self._hashed:
            self._given[place] = _marked(self._site[place])

    @property
    def given(self) -> bytes:
        """What the function is given: the resources as they were before the names had their hashes."""
        return _joined(self._given)

    def remainder(self, made: bytes) -> Remainder:
        """Return what is to be built once more, where this is what the function ``made`` of the resources."""
        places = {text: place for place, text in enumerate(self._given)}
        texts = _texts(_view(made))
        kept = {places[text] for text in texts if text in places}
        changed = [text for text in texts if text not in places]
        # What refers to something with another hash, or with none so far, changes with it.
        renamed = {each.name for each in _documents(text for text in changed if _MARK in text)}
        renamed |= {stem_of(self._site[place].name) for place in self._hashed if place not in kept}
        referring = [place for place in sorted(kept) if not self._site[place].is_of_generated_kind]
        follows = [place for place in referring if any(name in self._given[place] for name in renamed)]
        kept -= {*follows}
        changed += [self._given[place] for place in follows]
        unchanged = [self._site[place].header for place in self._hashed if place in kept]
        return Remainder(
            parts=[Part.of(texts, unchanged) for texts in _parts(changed, renamed)],
            kept=[self._site[place] for place in kept],
        )


class Part(Record):
    """Objects that kustomize has to build once more, and what they refer to that stays as it is."""

    changed: Sequence[Document]
    stubs: Sequence[Document]

    @classmethod
    def of(cls, texts: Sequence[str], hashed: Iterable[Header]) -> Part:
        """Return these objects with those that they may refer to of what has a hash."""
        whole = "".join(texts)
        stubs = [_stub(header) for header in hashed if stem_of(header[3]) in whole]
        return cls(changed=_documents(texts), stubs=_documents(stubs))

    @property
    def resources(self) -> bytes:
        """What kustomize has to build, the other way round than it would print it."""
        return _joined([each.text for each in _sorted([*self.changed, *self.stubs])[::-1]])

    def built(self, printed: bytes) -> list[Document]:
        """Return the objects, where this is what kustomize ``printed`` of :attr:`resources`."""
        documents = _documents(_texts(_view(printed)))
        stubs = {each.header for each in self.stubs}
        built = [each for each in documents if each.header not in stubs]
        if (
            documents != _sorted(documents)
            or len(built) != len(self.changed)
            or len(documents) != len(built) + len(stubs)
        ):
            raise Unknown
        return built


class Remainder(Record):
    """What kustomize has to build once more, part by part, and what stays as it is."""

    parts: Sequence[Part]
    kept: Sequence[Document]

    @property
    def config_maps(self) -> list[str]:
        """The names of all ConfigMaps, without the hashes that they have or will get."""
        changed = [each.name for part in self.parts for each in part.changed if each.header[1] == "ConfigMap"]
        return [*changed, *(stem_of(each.name) for each in self.kept if each.header[1] == "ConfigMap")]

    def completed(self, printed: Iterable[bytes]) -> bytes:
        """Return the whole site, where this is what kustomize ``printed`` of each part."""
        built = [each for part, output in zip(self.parts, printed, strict=True) for each in part.built(output)]
        return _joined([each.text for each in _sorted([*self.kept, *built])])


def _parts(texts: Sequence[str], renamed: set[str]) -> list[list[str]]:
    """Return the objects in parts of which none refers to what is renamed in another.

    kustomize looks at all objects for each object: a site with 300 queues takes a fifth of the time in parts.
    """
    if len(texts) <= _PART:
        return [[*texts]] if texts else []
    groups: dict[str, list[str]] = {}
    for text in texts:
        # An object that is renamed has its own name in it. Who refers to several puts them together.
        names = sorted(renamed.intersection(text.translate(_QUOTES).split()))
        group = groups.get(names[0], []) if names else []
        for name in names[1:]:
            other = groups.get(name, group)
            if other is not group:
                group += other
                groups |= {each: group for each, found in groups.items() if found is other}
        groups |= dict.fromkeys(names or [text], group)
        group.append(text)
    parts: list[list[str]] = [[]]
    for group in {id(group): group for group in groups.values()}.values():
        if parts[-1] and len(parts[-1]) + len(group) > _PART:
            parts.append([])
        parts[-1] += group
    return parts


def _stub(header: Header) -> str:
    """Return an object of which kustomize knows no more than that it had another name."""
    api_version, kind, namespace, name = header
    annotations = {"Kinds": kind, "Names": stem_of(name), "Namespaces": namespace or "default"}
    metadata = {
        "annotations": {f"{_PREVIOUS}{key}": value for key, value in annotations.items()},
        "name": name,
        **({"namespace": namespace} if namespace else {}),
    }
    return emit({"apiVersion": api_version, "kind": kind, "metadata": metadata})


def _is_config(document: Document) -> bool:
    return document.name.startswith(CONFIG_PREFIX)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Return an object that names others as it did before they had their hashes.

    Raises Unknown where a name stands in something else than a field that refers to it: it was written by hand.
    """
    for name, stem in names.items():
        if name in text:
            if text.count(name) != text.count(f"ame: {name}\n"):
                raise Unknown
            text = text.replace(name, stem)
    return text


def _marked(document: Document) -> str:
    """Return a ConfigMap or a Secret before it had a hash, with the mark by which kustomize knows that it gets one."""
    head, found, metadata = document.text.rpartition(_METADATA)
    own, mark = f"  name: {document.name}\n", f"{_ANNOTATIONS}    {_MARK}\n"
    others = metadata.removeprefix(_ANNOTATIONS)
    if not found or others.count(own) != 1 or others.startswith("  annotations:"):
        raise Unknown
    return head + found + mark + others.replace(own, f"  name: {stem_of(document.name)}\n")


def _documents(texts: Iterable[str]) -> list[Document]:
    """Return objects with what they are called. Raises Unknown where that takes a parser."""
    documents = []
    for text in texts:
        header = scan_header(text, 0)
        if header is None:
            raise Unknown
        documents.append(Document(text=text, header=header))
    return documents


def _sorted(documents: Sequence[Document]) -> list[Document]:
    return sorted(documents, key=lambda each: sort_key(each.header))


def _view(data: bytes) -> str:
    return data.decode("latin-1")


def _text(view: str) -> str:
    return view.encode("latin-1").decode()


def _texts(view: str) -> list[str]:
    return [f"{text}\n" for text in view.removesuffix("\n").split(f"\n{_SEPARATOR}")] if view else []


def _joined(texts: Iterable[str]) -> bytes:
    return _SEPARATOR.join(texts).encode("latin-1")
