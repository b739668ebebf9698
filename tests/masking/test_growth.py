"""Masking takes a time that grows with the length of a text and not with its square, whatever the text is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.masking import detection, places
from kustomizer.masking.masking import Masks
from tests import growth

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, LARGE = 8_000, 64_000
MOST = 3 * LARGE / SMALL
"""The square would be 8 times what is linear."""

TEXTS: dict[str, Callable[[int], str]] = {
    "open brackets": lambda size: "PASSWORD = " + "[" * size,
    "a secret's open brackets": lambda size: "PASSWORD=[" * (size // 10),
    "a secret's open brackets in strings": lambda size: """PASSWORD=["PASSWORD=[" PASSWORD=[\\' """ * (size // 34),
    "users' open brackets": lambda size: "USERS=[" * (size // 7),
    "brackets, then letters": lambda size: "TOKEN=[" * (size // 14) + '"' + "a" * (size // 2),
    "backslashes in a list": lambda size: "PASSWORD=[" + "\\" * size,
    "words within words": lambda size: "token=x" * (size // 7),
    "glued quotes": lambda size: "token='" + "token=''" * (size // 8),
    "items without values": lambda size: "- password:\n" * (size // 12),
    "blank lines below": lambda size: (
        "".join(" " * depth + "password: x\n" for depth in range(int(size**0.5))) + "\n" * (size // 2)
    ),
    "hashes": lambda size: "bcrypt" * (size // 6),
    "keys": lambda size: "-----BEGIN " + "PRIVATE KEY " * (size // 12),
    "tokens": lambda size: "eyJaaaaaaaa" * (size // 11),
    "backslashes": lambda size: "kty" + "\\" * size,
    "names far in": lambda size: " " * (size // 2) + "PASSWORD=" * (size // 18),
    "names behind items": lambda size: "- " * (size // 4) + "PASSWORD=" * (size // 18),
    "names behind a shell's words": lambda size: "export " * (size // 14) + "PASSWORD=" * (size // 18),
    "names behind options": lambda size: "export " + "-x " * (size // 6) + "PASSWORD=" * (size // 18),
    "names on a line": lambda size: "a_token " * (size // 8),
    "clients of mail": lambda size: "client_send = " * (size // 14),
    "secrets": lambda size: "".join(f"a_token: {number}x{number:08d}Zq%/\n" for number in range(size // 28)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_file(name: str) -> None:
    text = TEXTS[name]
    assert growth.factor(lambda size: places.in_text(text(size)), SMALL, LARGE) < MOST
    assert growth.factor(lambda size: places.in_text(text(size), code=True), SMALL, LARGE) < MOST
    assert growth.factor(lambda size: detection.in_file("a.yaml", text(size)), SMALL, LARGE) < MOST


@pytest.mark.parametrize("name", ["a secret's open brackets", "secrets"])
def test_an_object(name: str) -> None:
    def mask(size: int) -> None:
        tree = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a.yaml": TEXTS[name](size)}}
        build = read_build(f"{json.dumps(tree)}\n".encode())
        masks = Masks(build, build)
        for resource in build:
            masks.tree(resource)

    assert growth.factor(mask, SMALL, LARGE) < MOST
