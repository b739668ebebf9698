"""The parts of a broker's URL, as kombu takes it apart (kombu/utils/url.py, kombu/connection.py)."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlparse

from kustomizer.manifests.digits import whole_number
from kustomizer.openedx.endpoint import REDIS_PORT, SENTINEL_PORT, SOCKET
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.openedx.celery.values import Parts, Unseen

DEFAULT_PORTS = {
    **{"redis": REDIS_PORT, "rediss": REDIS_PORT, "sentinel": SENTINEL_PORT},
    **{"amqp": 5672, "amqps": 5671, "pyamqp": 5672},
}
REDIS = frozenset({"redis", "rediss", "sentinel"})


class BrokerUrl(Record):
    """A broker's URL, taken apart; text is decoded as kombu decodes it."""

    transport: str
    hosts: tuple[tuple[str, int | None], ...]
    """Each URL's host and port: of several, Sentinels are all asked, and other brokers stand by."""
    username: str = ""
    password: str = ""
    virtual_host: str = ""
    query: tuple[tuple[str, str], ...] = ()
    username_from: Unseen | None = None
    password_from: Unseen | None = None
    unknown: frozenset[str] = frozenset()
    """What isn't known of username, password and virtual_host, nor where it comes from."""

    @property
    def is_redis(self) -> bool:
        """Whether it is a Redis."""
        return self.transport in REDIS

    @property
    def database(self) -> int | None:
        """The number of a Redis database, None where it isn't one or isn't known."""
        if "virtual_host" in self.unknown:
            return None
        return whole_number(self.virtual_host.strip("/") or "0")


def parsed(url: str) -> BrokerUrl | None:
    """Return the parts of ``url``, None where kombu couldn't read it."""
    urls = [part.strip() for part in url.split(";") if part.strip()]
    if not urls or "://" not in urls[0]:
        return None
    outer, plus, inner = urls[0].partition("+")
    if plus and "://" not in outer:
        return _wrapped(outer, inner)
    hosts: list[tuple[str, int | None]] = []
    for server in urls:
        # The Sentinels behind the first need no scheme of their own.
        text = server if "://" in server else f"//{server}"
        try:
            parts = urlparse(text if server is not urls[0] else f"//{server.partition('://')[2]}")
            hosts.append((unquote(parts.hostname or ""), parts.port))
        except ValueError:
            return None
    scheme = urls[0].partition("://")[0].lower()
    first = urlparse(f"//{urls[0].partition('://')[2]}")
    path = first.path[1:] if first.path.startswith("/") else first.path
    return BrokerUrl(
        transport=scheme,
        hosts=tuple((host or "localhost", port or DEFAULT_PORTS.get(scheme)) for host, port in hosts),
        username=unquote(first.username or ""),
        password=unquote(first.password or ""),
        virtual_host=unquote(path),
        query=tuple(parse_qsl(first.query)),
    )


def parsed_in_part(parts: Parts) -> BrokerUrl | None:
    """Return what is known of a URL; None where its transport isn't. Where no place is known, it has no hosts."""
    # No variable has this character.
    marks = [part if isinstance(part, str) else f"\0{number}\0" for number, part in enumerate(parts)]
    url = parsed("".join(marks)) if parts else None
    if url is None or any("\0" in text for text in (url.transport, *(word for option in url.query for word in option))):
        return None
    changes: dict[str, Any] = {}
    if any("\0" in host for host, _ in url.hosts):
        changes["hosts"] = ()
    # `redis://$(CREDENTIALS)@…` may hold both, and what names the place may hold them, too.
    unknown = {"username", "password"} if "\0" in url.username and not url.password else set()
    if "hosts" in changes and not (url.username or url.password):
        unknown.add("password")
    for name in ("username", "password", "virtual_host"):
        text = getattr(url, name)
        if "\0" not in text:
            continue
        changes[name] = ""
        source = parts[marks.index(text)] if text in marks else None
        if name in unknown or source is None or isinstance(source, str) or name == "virtual_host":
            unknown.add(name)
        else:
            changes[f"{name}_from"] = source
    return url.replace(**changes, unknown=frozenset(unknown))


def _wrapped(transport: str, url: str) -> BrokerUrl | None:
    """Return the parts of a URL within a URL: `redis+socket:///run/redis.sock?virtual_host=1` is a Redis in the pod."""
    is_socket = url.startswith(SOCKET)
    if transport in REDIS and not is_socket:
        return None
    try:
        parts = urlparse(url)
    except ValueError:
        return None
    query = tuple(parse_qsl(parts.query)) if is_socket else ()
    scheme, _, location = url.partition("://")
    # Without credentials: it is shown. kombu takes a socket's path, and nothing before it.
    server = (parts.path if is_socket else location.partition("?")[0]).rpartition("@")[2]
    return BrokerUrl(
        transport=transport,
        hosts=((f"{scheme}://{server}", None),),
        password=unquote(parts.password or "") if is_socket else "",
        virtual_host=dict(query).get("virtual_host", "/"),
        query=query,
    )
