"""The broker section: where the broker is, if Tutor's output doesn't say it."""

from __future__ import annotations

from kustomizer.config.types import HostPort, KubernetesName, SecretKey, Word
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
    """Encryption between the broker and its readers."""

    enabled: bool | None = None
    """Whether the broker speaks TLS. Default: what Tutor's output says."""

    unsafe: bool = False
    """Whether to accept any certificate. KEDA, Flower and restoreOrphans then talk to whoever answers."""

    ca: SecretCertificate | None = None
    """Certificate of the private authority that signed the broker's certificate."""

    client_cert: ClientCertificate | None = None
    """Certificate to present to the broker."""


class Sentinel(Record):
    """Redis Sentinel, which knows the broker's current address."""

    addresses: list[HostPort]
    """Addresses of the Sentinels, each as `host:port`."""

    master: Word
    """Name of the master that the Sentinels watch."""

    username: Word | None = None
    """User for the Sentinels themselves."""

    existing_secret: SentinelCredentials | None = None
    """Secret with the password for the Sentinels themselves."""


class TriggerAuthentication(Record):
    """A TriggerAuthentication of KEDA that is managed elsewhere."""

    name: KubernetesName
    """Its name."""

    kind: Literal["TriggerAuthentication", "ClusterTriggerAuthentication"] = "TriggerAuthentication"
    """Whether it belongs to the namespace or to the cluster."""


class Broker(Record):
    """The Redis that Celery uses. Set only what Tutor's output doesn't say."""

    address: HostPort | None = None
    """Host and port, as KEDA, Flower and restoreOrphans reach it."""

    database: NonNegative | None = None
    """Number of the Redis database."""

    username: Word | None = None
    """User's name, for Redis 6 and later with access lists."""

    key_prefix: str | None = None
    """Prefix of every key, as `global_keyprefix` in Celery's transport options. `''` says that there is none."""

    priority_steps: list[NonNegative] | None = None
    """Priorities that each queue has a list for, as `priority_steps` in these options, where settings compute them.
    KEDA and the alerts count all of these lists. `[0]` says that tasks have no priorities."""

    priority_separator: str | None = None
    """What stands between a queue and a priority in a list's name, as `sep` in these options; kombu's by default."""

    existing_secret: Credentials | None = None
    """A Secret that is managed elsewhere (External Secrets, Sealed Secrets). None is emitted then."""

    tls: Tls | None = None
    """Encryption."""

    sentinel: Sentinel | None = None
    """Redis Sentinel, instead of `address`."""

    trigger_authentication: TriggerAuthentication | None = None
    """An existing TriggerAuthentication for KEDA. None is emitted then."""

    @property
    def is_located(self) -> bool:
        """Whether `address` or `sentinel` says where the broker is."""
        return self.address is not None or self.sentinel is not None


def broker_problems(broker: Broker) -> list[Problem]:
    """Return the contradictions in ``broker``."""
    problems = []

    def refuse(field: str, message: str, remedy: str) -> None:
        problems.append(Problem(field=f"spec.broker.{field}", message=message, remedy=remedy))

    if broker.sentinel is not None:
        if broker.address is not None:
            refuse("address", "conflicts with sentinel, which says where the broker is", "Keep one of them")
        if not broker.sentinel.addresses:
            refuse("sentinel.addresses", "is empty", "Name at least one Sentinel as host:port")
    if broker.priority_steps is not None and not broker.priority_steps:
        refuse("prioritySteps", "is empty", "Set it to [0] where tasks have no priorities")
    if broker.username is not None and broker.existing_secret and broker.existing_secret.username_key:
        refuse("username", "conflicts with existingSecret.usernameKey", "Keep one of them")
    if broker.tls and broker.tls.enabled is False and (broker.tls.unsafe or broker.tls.ca or broker.tls.client_cert):
        refuse("tls.enabled", "is false, but other settings of TLS are given", "Set it to true, or remove them")
    return problems
