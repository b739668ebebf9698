"""KEDA's access to the broker's credentials: a TriggerAuthentication, and a Secret where the site has none."""

from __future__ import annotations

from kustomizer.manifests.resource import Resource
from kustomizer.openedx.workers import site_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.openedx.endpoint import Endpoint

KIND = "TriggerAuthentication"


def authentication(
    config: CeleryWorkers, service: str, broker: Endpoint, worker: Resource
) -> tuple[dict[str, str], list[Resource]]:
    """Return the ``authenticationRef`` of triggers, empty where they need no credentials; and the objects to add.

    Their name has no hash: kustomize doesn't rewrite references inside of a TriggerAuthentication.
    """
    existing = config.spec.broker.trigger_authentication if config.spec.broker else None
    if existing is not None:
        return {"name": existing.name, **({"kind": existing.kind} if existing.kind != KIND else {})}, []
    name = f"{service}-worker-broker"
    keys = {"username": broker.username_key, "password": broker.password_key}
    values = {"password": broker.password}
    if broker.sentinel_master:
        keys["sentinelPassword"] = broker.sentinel_password_key
        values["sentinelPassword"] = broker.sentinel_password
    if broker.tls:
        keys["ca"] = broker.ca
    references = [_reference(parameter, key.secret, key.key) for parameter, key in keys.items() if key is not None]
    # A value that another Secret holds isn't written into ours.
    secret = {parameter: value for parameter, value in values.items() if value and keys.get(parameter) is None}
    references += [_reference(parameter, name, parameter) for parameter in secret]
    if broker.tls and broker.client_cert:
        references.append(_reference("cert", broker.client_cert, "tls.crt"))
        references.append(_reference("key", broker.client_cert, "tls.key"))
    if not references:
        return {}, []
    metadata = site_metadata(worker, name=name)
    made = Resource.beside(worker, "keda.sh/v1alpha1", KIND, metadata, spec={"secretTargetRef": references})
    added = [_secret(name, secret, owner=worker)] if secret else []
    return {"name": name}, [*added, made]


def _reference(parameter: str, secret: str, key: str) -> dict[str, str]:
    return {"parameter": parameter, "name": secret, "key": key}


def _secret(name: str, values: dict[str, str], *, owner: Resource) -> Resource:
    from kustomizer.manifests.secret_data import encoded  # noqa: PLC0415 - most sites' Redis has no password

    data = {key: encoded(value) for key, value in values.items()}
    return Resource.beside(owner, "v1", "Secret", site_metadata(owner, name=name), type="Opaque", data=data)
