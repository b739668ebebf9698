"""The name of a worker among Celery's nodes, as ``--hostname`` writes it (celery/utils/nodenames.py)."""

from __future__ import annotations


def names_host(hostname: str | None) -> bool:
    """Tell whether a node's name has the pod's in it; a variable may hold it, and nothing behind the @ means it."""
    name = hostname or "%h"
    return any(mark in name for mark in ("%h", "%n", "$")) or name.endswith("@")


def hostname_like(hostname: str, name: str) -> str:
    """Return a node name for ``name`` that ends in the host as ``hostname`` does, ``.%h`` or ``@%h``.

    Tutor 16 and 17 write ``%%h``, for which Celery puts a stray percent sign before the host
    (``celery@edx.lms.core.default.%lms-worker-…``): it becomes ``%h`` here.
    """
    starts = [index for index in (hostname.find("%"), hostname.find("$")) if index > 0]
    if not starts or not names_host(hostname):
        return f"{name}@%h"
    start = min(starts)
    separator = "@" if hostname[start - 1].isalnum() else hostname[start - 1]
    return name + separator + hostname[start:].replace("%%", "%")
