"""Values of Secrets, spelled as kustomize's own secretGenerator spells them.

The spelling is part of what kustomize hashes into the name: with another one, a Secret that the function makes and the
same Secret made by a generator would have two names, and going from one to the other would roll the pods.
"""

from __future__ import annotations

import binascii

_LINE = 70
"""https://github.com/kubernetes-sigs/kustomize/blob/master/kyaml/yaml/datamap.go (encodeBase64)"""


def encoded(text: str) -> str:
    """Return ``text`` in base64: on one line where it fits, else on lines that each end in a newline."""
    whole = binascii.b2a_base64(text.encode(), newline=False).decode()
    if len(whole) < _LINE:
        return whole
    return "".join(f"{whole[start : start + _LINE]}\n" for start in range(0, len(whole), _LINE))
