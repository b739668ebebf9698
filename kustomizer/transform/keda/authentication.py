"""How KEDA gets at the broker's credentials: a TriggerAuthentication, and a Secret where nobody else manages one."""

from __future__ import annotations

from kustomizer.manifests.resource import Resource
from kustomizer.openedx.workers import site_metadata
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.openedx.endpoint import Endpoint

KIND = "TriggerAuthentication"


class Authentication(Record):
    """What a trigger's ``authenticationRef`` names."""

    name: str
    kind: str = KIND

    @property
    def reference(self) -> dict[str, str]:
        """The ``authenticationRef``."""
        return {"name": self.name} if self.kind == KIND else {"name": self.name, "kind": self.kind}


def authentication(
    config: CeleryWorkers, service: str, found: Endpoint, worker: Resource
) -> tuple[Authentication | None, list[Resource]]:
    """Return what triggers refer to for their credentials, and the objects that have to be added for it.

    Their name has no hash: kustomize doesn't rewrite references inside of a TriggerAuthentication.
    """
    given = config.spec.broker.trigger_authentication if config.spec.broker else None
    if given is not None:
        return Authentication(name=given.name, kind=given.kind), []
    name = f"{service}-worker-broker"
    keys = {"username": found.username_key, "password": found.password_key}
    known = {"password": found.password}
    if found.sentinel_master:
        keys["sentinelPassword"] = found.sentinel_password_key
        known["sentinelPassword"] = found.sentinel_password
    if found.tls:
        keys["ca"] = found.ca
    references = [_reference(parameter, key.secret, key.key) for parameter, key in keys.items() if key is not None]
    # What a Secret of others holds needs none of ours.
    secret = {parameter: value for parameter, value in known.items() if value and keys.get(parameter) is None}
    references += [_reference(parameter, name, parameter) for parameter in secret]
    if found.tls and found.client_cert:
        references += [
            _reference("cert", found.client_cert, "tls.crt"),
            _reference("key", found.client_cert, "tls.key"),
        ]
    if not references:
        return None, []
    tree = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": KIND,
        "metadata": site_metadata(worker, name=name),
        "spec": {"secretTargetRef": references},
    }
    added = [_secret(name, secret, owner=worker)] if secret else []
    return Authentication(name=name), [*added, Resource.new(tree, indent=worker.indent)]


def _reference(parameter: str, secret: str, key: str) -> dict[str, str]:
    return {"parameter": parameter, "name": secret, "key": key}


def _secret(name: str, values: dict[str, str], *, owner: Resource) -> Resource:
    from kustomizer.manifests.secret_data import encoded  # noqa: PLC0415 - most sites' Redis has no password

    data = {key: encoded(value) for key, value in values.items()}
    tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": site_metadata(owner, name=name),
        "type": "Opaque",
        "data": data,
    }
    return Resource.new(tree, indent=owner.indent)
