"""broker-address: a Redis that isn't the worker's."""

from __future__ import annotations

import pytest

from tests.rules.small_site import finder, problems, resource, scaled_object, settings, trigger, with_settings

found = finder("broker-address")
REDIS = resource("Service", "redis")


def scaler(address: str) -> str:
    return scaled_object("lms-worker", triggers=[trigger("a", address=address)])


@pytest.mark.parametrize(
    "address",
    [
        *("redis.openedx:6379", "redis.openedx.svc:6379", "redis.openedx.svc.cluster.local:6379"),
        *("redis.example.com:6379", "10.0.0.1:6379", "[::1]:6379", "cache.databases:6379", "$(REDIS):6379"),
    ],
)
def test_an_address_that_may_be_right(address: str) -> None:
    assert found(REDIS, scaler(address)) == []


def test_an_address_that_only_the_site_knows() -> None:
    (problem,) = problems("broker-address", REDIS, scaler("redis:6379"))
    assert (problem.severity, problem.field) == ("error", "spec.triggers[0].metadata.address")
    assert "without a namespace" in problem.message


def test_the_address_of_somebody_elses_is_changed_where_it_is_made() -> None:
    ours = scaled_object("lms-worker", triggers=[trigger("a", address="redis:6379", name="queued1")])
    assert "spec.broker.address" in problems("broker-address", REDIS, ours)[0].remedy
    (problem,) = problems("broker-address", REDIS, scaler("redis:6379"))
    assert problem.remedy.startswith("Name redis.openedx where this ScaledObject is made")


def test_a_build_without_a_namespace() -> None:
    nowhere = scaled_object("lms-worker", namespace="", triggers=[trigger("a", address="redis:6379", name="queued1")])
    (problem,) = problems("broker-address", nowhere)
    assert problem.remedy.startswith("Set the site's namespace")


@pytest.mark.parametrize("address", ["redis.old:6379", "redis.old.svc.cluster.local:6379"])
def test_an_address_that_stayed_when_the_site_moved(address: str) -> None:
    (problem,) = problems("broker-address", REDIS, scaler(address))
    assert "in namespace old, and the worker's is in openedx" in problem.message


def test_a_redis_of_another_namespace_that_the_worker_names() -> None:
    named = with_broker("redis://redis.shared:6379", address="redis.shared:6379")
    assert found(REDIS, *named) == []
    assert len(found(REDIS, *with_broker("redis://redis.shared:6379", address="redis.old:6379"))) == 1


def test_a_namespace_that_may_be_the_workers() -> None:
    unknown = [with_settings("lms-worker", "a"), settings("BROKER_URL = secret()\n"), scaler("redis.shared:6379")]
    (problem,) = problems("broker-address", REDIS, *unknown)
    assert (problem.severity, "only a running pod knows" in problem.message) == ("info", True)


def test_each_sentinel_is_looked_at() -> None:
    sentinels = trigger("a", type="redis-sentinel", metadata={"addresses": "redis.openedx:26379,redis:26379"})
    assert len(found(REDIS, scaled_object("lms-worker", triggers=[sentinels]))) == 1


def test_other_scalers_have_addresses_of_another_kind() -> None:
    other = {"type": "prometheus", "metadata": {"address": "prometheus"}}
    assert found(REDIS, scaled_object("lms-worker", triggers=[other])) == []


def with_broker(url: str, **metadata: str) -> list[str]:
    """Return a worker with this broker, and somebody else's ScaledObject that asks for its queue."""
    counted = trigger("a", address=metadata.pop("address", "redis.openedx:6379"))
    counted["metadata"] |= metadata
    lms = with_settings("lms-worker", "a")
    return [
        lms,
        settings(f"BROKER_URL = '{url}'\nBROKER_USE_SSL = False\n"),
        scaled_object("lms-worker", triggers=[counted]),
    ]


@pytest.mark.parametrize(
    ("url", "metadata", "key", "severity"),
    [
        ("redis://redis:6379/0", {"databaseIndex": "3"}, "databaseIndex", "error"),
        ("redis://redis:6379/2", {}, "databaseIndex", "error"),
        ("redis://redis:6379/0", {"enableTLS": "true"}, "enableTLS", "error"),
        ("rediss://redis:6379/0", {}, "enableTLS", "error"),
        ("redis://cache.example.com:6379/0", {}, "address", "warning"),
        ("redis://redis:6380/0", {}, "address", "warning"),
    ],
)
def test_another_redis_than_the_workers(url: str, metadata: dict[str, str], key: str, severity: str) -> None:
    (problem,) = problems("broker-address", *with_broker(url, **metadata))
    assert (problem.severity, problem.field) == (severity, f"spec.triggers[0].metadata.{key}")
    assert problem.remedy.startswith("Correct it where this ScaledObject is made")


@pytest.mark.parametrize(
    ("url", "metadata"),
    [
        ("redis://redis:6379/0", {}),
        ("redis://REDIS.openedx.svc.cluster.local/2", {"databaseIndex": "2"}),
        ("rediss://redis:6379/0", {"enableTLS": "true"}),
        ("redis://localhost:6379/0", {"address": "cache.example.com:6379"}),
        ("redis://redis:6379/0", {"address": "${REDIS}:6379", "databaseIndex": "${DB}"}),
        ("redis://redis:6379/0", {"address": ""}),
        ("sentinel://s:26379/1", {}),
        ("amqp://rabbitmq/", {}),
    ],
)
def test_the_workers_own_or_one_that_nobody_knows(url: str, metadata: dict[str, str]) -> None:
    assert found(*with_broker(url, **metadata)) == []


PASSWORD = "kept-to-itself"
VARIABLES = {
    "RIGHT": "redis.openedx:6379",
    "NO_NAMESPACE": "redis:6379",
    "URL": f"redis://:{PASSWORD}@redis.openedx:6379/0",
    "ELSEWHERE": "cache.example.com:6379",
}


def from_variable(name: str, key: str = "addressFromEnv", **target: str) -> list[str]:
    """Return a worker with variables, and somebody else's ScaledObject that has its address from one."""
    environment = [{"name": variable, "value": value} for variable, value in VARIABLES.items()]
    counted = {"type": "redis", "metadata": {"listName": "a", "listLength": "40", key: name}}
    scaled = scaled_object("lms-worker", scaleTargetRef={"name": "lms-worker", **target}, triggers=[counted])
    lms = with_settings("lms-worker", "a", container={"env": environment})
    return [REDIS, lms, settings("BROKER_URL = 'redis://redis:6379/0'\nBROKER_USE_SSL = False\n"), scaled]


@pytest.mark.parametrize(
    ("variable", "severity", "said"),
    [
        ("MISSING", "error", "MISSING is no variable of the container"),
        ("NO_NAMESPACE", "error", "names redis:6379 without a namespace"),
        ("URL", "error", "has a URL for an address"),
        ("ELSEWHERE", "warning", "counts at cache.example.com:6379"),
    ],
)
def test_an_address_from_a_variable(variable: str, severity: str, said: str) -> None:
    (problem,) = problems("broker-address", *from_variable(variable))
    assert (problem.severity, problem.field) == (severity, "spec.triggers[0].metadata.addressFromEnv")
    assert problem.message.startswith(said)
    assert PASSWORD not in str(problem)


def test_a_variable_of_another_container() -> None:
    assert found(*from_variable("RIGHT", envSourceContainerName="lms-worker")) == []
    (problem,) = problems("broker-address", *from_variable("RIGHT", envSourceContainerName="proxy"))
    assert "RIGHT is no variable of the container" in problem.message


def test_variables_that_may_be_right() -> None:
    assert found(*from_variable("RIGHT")) == []
    (problem,) = problems("broker-address", *from_variable("MISSING", "passwordFromEnv"))
    assert problem.field == "spec.triggers[0].metadata.passwordFromEnv"
    assert problem.severity == "error"
    *others, scaled = from_variable("MISSING", "passwordFromEnv")
    assert (
        found(*others, scaled.replace('"type": "redis"', '"type": "redis", "authenticationRef": {"name": "a"}')) == []
    )
    # Of an application that isn't in the build nothing is known.
    assert found(REDIS, from_variable("MISSING")[-1]) == []
