"""Where the broker is, where Tutor's output isn't the truth."""

from __future__ import annotations

from kustomizer.config.types import HostPort, KubernetesName, NonEmpty, SecretKey, Word
from kustomizer.config.values import NonNegative
from kustomizer.errors import Problem
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


class Credentials(Record):
    """A Secret with the broker's password, in the namespace of the site."""

    name: KubernetesName
    """Name of the Secret."""

    password_key: SecretKey
    """Key that holds the password."""

    username_key: SecretKey | None = None
    """Key that holds the user's name. Default: `username`, or Redis' user `default`."""


class SentinelCredentials(Record):
    """A Secret with the password of Redis Sentinel, in the namespace of the site."""

    name: KubernetesName
    """Name of the Secret."""

    password_key: SecretKey
    """Key that holds the password."""


class SecretCertificate(Record):
    """A certificate in a Secret."""

    name: KubernetesName
    """Name of the Secret."""

    key: SecretKey = "ca.crt"
    """Key that holds the certificate in PEM form."""


class ClientCertificate(Record):
    """A client certificate in a Secret of type `kubernetes.io/tls`."""

    name: KubernetesName
    """Name of the Secret, which holds `tls.crt` and `tls.key`."""


class Tls(Record):
    """Encryption between the broker and those who read it."""

    enabled: bool | None = None
    """Whether the broker speaks TLS. Default: what Tutor's output says."""

    unsafe: bool = False
    """Whether to take any certificate. KEDA and Flower then talk to whoever answers."""

    ca: SecretCertificate | None = None
    """Certificate of the authority that signed the broker's, where it is a private one."""

    client_cert: ClientCertificate | None = None
    """Certificate to present to the broker."""


class Sentinel(Record):
    """Redis Sentinel, which knows where the broker currently is."""

    addresses: list[HostPort]
    """Sentinels, each as `host:port`."""

    master: Word
    """Name of the master that they watch."""

    username: Word | None = None
    """User for the Sentinels themselves."""

    existing_secret: SentinelCredentials | None = None
    """Secret with the password for the Sentinels themselves."""


class TriggerAuthentication(Record):
    """A TriggerAuthentication of KEDA's that others manage."""

    name: KubernetesName
    """Its name."""

    kind: Literal["TriggerAuthentication", "ClusterTriggerAuthentication"] = "TriggerAuthentication"
    """Whether it belongs to the namespace or to the cluster."""


class Broker(Record):
    """The Redis that Celery uses. Tutor's output says where it is: name here only what it can't know."""

    address: HostPort | None = None
    """Host and port, as KEDA and Flower reach it."""

    database: NonNegative | None = None
    """Number of the Redis database."""

    username: Word | None = None
    """User's name, for Redis 6 and later with access lists."""

    key_prefix: NonEmpty | None = None
    """What `global_keyprefix` in Celery's transport options puts before every key."""

    existing_secret: Credentials | None = None
    """A Secret that others manage (External Secrets, Sealed Secrets); none is then emitted."""

    tls: Tls | None = None
    """Encryption."""

    sentinel: Sentinel | None = None
    """Redis Sentinel, in place of `address`."""

    trigger_authentication: TriggerAuthentication | None = None
    """An existing TriggerAuthentication for KEDA; none is then emitted."""


def broker_problems(broker: Broker, path: str) -> list[Problem]:
    """Return what in ``broker`` contradicts itself."""
    problems = []

    def refuse(field: str, message: str, remedy: str) -> None:
        problems.append(Problem(field=f"{path}.{field}", message=message, remedy=remedy))

    if broker.sentinel is not None:
        if broker.address is not None:
            refuse("address", "stands beside sentinel, which says where the broker is", "Keep one of them")
        if not broker.sentinel.addresses:
            refuse("sentinel.addresses", "is empty", "Name at least one Sentinel as host:port")
    if broker.username is not None and broker.existing_secret and broker.existing_secret.username_key:
        refuse("username", "stands beside existingSecret.usernameKey", "Keep one of them")
    if broker.tls and broker.tls.enabled is False and (broker.tls.unsafe or broker.tls.ca or broker.tls.client_cert):
        refuse("tls.enabled", "is false, and beside it stand settings of TLS", "Set it to true, or take them out")
    return problems
