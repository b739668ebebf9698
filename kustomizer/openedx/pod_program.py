"""Programs that run in a pod of Open edX: each is made of files of kustomizer/data, joined to one text."""

from __future__ import annotations

from kustomizer import DIRECTORY

_FUTURE = "from __future__ import annotations\n"


def pod_program(*names: str) -> str:
    """Return the files of these names as one program; the first one begins it, and its docstring is the program's.

    What a file needs of another one it imports for types alone.
    """
    texts = []
    for name in names:
        with open(f"{DIRECTORY}/data/{name}.py", encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs the function 3 ms
            texts.append(file.read())
    # Only the first statement of a program may be about the future, and it holds for all that follows.
    return "\n\n".join([texts[0], *(text.replace(_FUTURE, "", 1) for text in texts[1:])])
