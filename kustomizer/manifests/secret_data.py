"""Encodes the values of Secrets as kustomize's secretGenerator does.

kustomize hashes the encoded text into the name. With another encoding, the same Secret would have one name from the
function and another from a generator, and pods would restart on the way from one to the other.
"""

from __future__ import annotations

import binascii

_LINE = 70
"""https://github.com/kubernetes-sigs/kustomize/blob/master/kyaml/yaml/datamap.go (encodeBase64)"""


def encoded(text: str) -> str:
    """Return ``text`` in base64: in one line if it is short, else in lines that each end in a newline."""
    whole = binascii.b2a_base64(text.encode(), newline=False).decode()
    if len(whole) < _LINE:
        return whole
    return "".join(f"{whole[start : start + _LINE]}\n" for start in range(0, len(whole), _LINE))
