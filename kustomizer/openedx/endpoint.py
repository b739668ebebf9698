"""A broker's address and the options of a connection to it."""

from __future__ import annotations

from kustomizer.record import Record

UNACKED = "unacked"
"""Celery's own in-flight key (kombu/transport/redis.py)."""
REDIS_PORT, SENTINEL_PORT = 6379, 26379
"""kombu's default ports."""
SOCKET = "socket://"
"""What a host begins with that is a file of the pod."""


class SecretKey(Record):
    """A key of a Secret in the site's namespace."""

    secret: str
    key: str


class Endpoint(Record):
    """Where a service's broker is, and how to talk to it.

    ``addresses`` are ``host:port`` as another namespace reaches them; ``database`` is Redis' number. A credential is
    either known itself (``password``) or a Secret holds it (``password_key``).
    """

    addresses: tuple[str, ...]
    database: int = 0
    username: str = ""
    password: str = ""
    username_key: SecretKey | None = None
    password_key: SecretKey | None = None
    key_prefix: str = ""
    unacked_key: str = UNACKED
    """The Redis hash in which Celery keeps tasks in flight, for a worker that has none of its own."""
    tls: bool = False
    unsafe: bool = False
    ca: SecretKey | None = None
    client_cert: str = ""
    sentinel_master: str = ""
    sentinel_username: str = ""
    sentinel_password: str = ""
    sentinel_password_key: SecretKey | None = None
    visibility_timeout: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether whoever reaches the broker may use it, without credentials or certificates."""
        credentials = (self.username_key, self.password, self.password_key, self.sentinel_master)
        return not any(credentials) and not self.tls

    def is_same(self, other: Endpoint, namespace: str) -> bool:
        """Tell whether ``other`` is the same broker, for pods of ``namespace``, under whatever names."""
        parts, other_parts = (
            endpoint.replace(
                addresses=sorted(
                    f"{one_name(host, namespace)}:{port}"
                    for host, _, port in (address.rpartition(":") for address in endpoint.addresses)
                ),
                visibility_timeout=None,
            )
            for endpoint in (self, other)
        )
        return parts == other_parts


# What a webhook or a program in the pod replaces (Bank-Vaults, 1Password, vals), and what SOPS has encrypted.
_REFERENCES = (
    *("vault:", ">>vault:", "op://", "ref+", "ENC[", "arn:aws:secretsmanager:", "arn:aws:ssm:", "gcp:secretmanager:"),
    *("akv@", "azurekeyvault@", "awsssm:", "awssm:"),
)


def is_placeholder(text: str) -> bool:
    """Tell whether something else is put there later: by Flux (``${NAME}``), Argo CD's Vault plugin (``<path:…>``)."""
    is_variable = text.startswith("$") and "_" in text and text[1:].isidentifier() and text.isupper()
    is_template = "${" in text or "{{" in text or (text.startswith("<") and text.endswith(">"))
    return is_template or is_variable or text.startswith(_REFERENCES)


def reachable(host: str, namespace: str) -> str:
    """Return ``host`` as another namespace reaches it: the name of a Service needs its namespace."""
    if not namespace or "." in host or ":" in host or host == "localhost" or is_placeholder(host):
        return host
    return f"{host}.{namespace}"


def server(host: str, port: int | None, namespace: str) -> str:
    """Return a host and its port as another namespace reaches them; an IPv6 address has brackets."""
    if host.startswith(SOCKET):
        return host
    name = f"[{host}]" if ":" in host and not host.startswith("[") else reachable(host, namespace)
    return name if port is None else f"{name}:{port}"


def one_name(host: str, namespace: str) -> str:
    """Return the one name of a server that pods of ``namespace`` may call by several, as ``redis.openedx``."""
    if host.startswith(SOCKET):
        return host
    name = host.strip("[]").lower()
    if name in _OF_THE_POD:
        return "localhost"
    if ":" in name:
        return f"[{name}]"
    return reachable(name.removesuffix(".").removesuffix(".cluster.local").removesuffix(".svc"), namespace)


_OF_THE_POD = frozenset({"localhost", "localhost.", "127.0.0.1", "::1"})


def is_of_the_pod(address: str) -> bool:
    """Tell whether a host and its port are those of a proxy in the worker's own pod, where nobody else reaches it."""
    return address.startswith(SOCKET) or one_name(address.rpartition(":")[0], "") == "localhost"
