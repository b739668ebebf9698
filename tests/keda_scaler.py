"""KEDA's Redis scaler, as far as counting goes: what the triggers of a ScaledObject would read, and from where.

https://github.com/kedacore/keda/blob/v2.21.0/pkg/scalers/redis_scaler.go
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis

from tests.pods import secret_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.pods import Objects

# KEDA asks by the type of the key, too, in a script; a key that isn't there is an empty list.
_COUNT = """
local commands = {list = 'LLEN', none = 'LLEN', hash = 'HLEN', set = 'SCARD', zset = 'ZCARD'}
return redis.call(commands[redis.call('TYPE', KEYS[1]).ok], KEYS[1])
"""


def keda_count(client: redis.Redis, key: str) -> int:
    """Return what KEDA counts for a ``listName``."""
    return int(client.eval(_COUNT, 1, key))


def triggers_of(built: Objects) -> dict[str, dict[str, int]]:
    """Return what KEDA would count now for each trigger of the build: by Deployment and the trigger's name."""
    return {
        item["spec"]["scaleTargetRef"]["name"]: {
            trigger["name"]: _read(trigger, built) for trigger in item["spec"]["triggers"]
        }
        for item in built.of_kind("ScaledObject")
    }


def _read(trigger: Mapping[str, Any], built: Objects) -> int:
    assert trigger["type"] == "redis", trigger
    with _connected(trigger, built) as client:
        return keda_count(client, trigger["metadata"]["listName"])


@contextmanager
def _connected(trigger: Mapping[str, Any], built: Objects) -> Iterator[redis.Redis]:
    """Connect with nothing but what the trigger and its TriggerAuthentication say."""
    metadata = trigger["metadata"] | _authentication(trigger, built)
    host, _, port = metadata["address"].rpartition(":")
    tls: dict[str, Any] = {}
    if metadata.get("enableTLS") == "true":
        unsafe = metadata.get("unsafeSsl") == "true"
        tls = {
            "ssl": True,
            "ssl_cert_reqs": "none" if unsafe else "required",
            "ssl_check_hostname": not unsafe,
            "ssl_ca_data": metadata.get("ca"),
        }
    with redis.Redis(
        host=host,
        port=int(port),
        db=int(metadata.get("databaseIndex", 0)),
        username=metadata.get("username"),
        password=metadata.get("password"),
        **tls,
    ) as client:
        yield client


def _authentication(trigger: Mapping[str, Any], built: Objects) -> dict[str, str]:
    if "authenticationRef" not in trigger:
        return {}
    named = built.get("TriggerAuthentication", trigger["authenticationRef"]["name"])
    return {
        target["parameter"]: secret_values(built.get("Secret", target["name"]))[target["key"]]
        for target in named["spec"]["secretTargetRef"]
    }
