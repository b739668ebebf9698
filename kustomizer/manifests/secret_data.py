"""Encodes the values of Secrets as kustomize's secretGenerator does.

kustomize hashes the encoded text into the name. With another encoding, the same Secret would have one name from the
function and another from a generator, and pods would restart on the way from one to the other.
"""

from __future__ import annotations

import binascii

from kustomizer.manifests.tree import is_null, lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resource

_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LINE = 70
"""https://github.com/kubernetes-sigs/kustomize/blob/master/kyaml/yaml/datamap.go (encodeBase64)"""


def encoded(text: str) -> str:
    """Return ``text`` in base64: in one line if it is short, else in lines that each end in a newline."""
    whole = binascii.b2a_base64(text.encode(), newline=False).decode()
    if len(whole) < _LINE:
        return whole
    return "".join(f"{whole[start : start + _LINE]}\n" for start in range(0, len(whole), _LINE))


def decoded(secret: Resource) -> dict[str, str]:
    """Return a Secret's values by key; bytes that aren't UTF-8 become replacement characters.

    A value of ``data`` that isn't base64 is left out: an API server refuses it.
    """
    values: dict[str, str] = {}
    data, strings = (lookup(secret.tree, field) for field in ("data", "stringData"))
    for key, value in data.items() if isinstance(data, dict) else ():
        # Go's decoder passes over line ends alone; Python's passes over all that is no base64.
        text = "".join(str(value).splitlines())
        if not is_null(value) and _ALPHABET.issuperset(text.rstrip("=")) and len(text) % 4 == 0:
            try:
                values[str(key)] = binascii.a2b_base64(text).decode("utf-8", "replace")
            except binascii.Error:
                continue
    for key, value in strings.items() if isinstance(strings, dict) else ():
        if not is_null(value):
            values[str(key)] = str(value)
    return values
