"""clear-text-password: where one stands, and never which."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import deployment, finder, problems, resource, scaled_object, trigger, worker

found = finder("clear-text-password")
CANARY = "Qx7canary"


def env(name: str, value: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value}]}


def test_a_secret_is_where_it_belongs() -> None:
    reference = [{"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]
    held = resource("Secret", "a", stringData={"password": CANARY})
    assert found(held, worker("lms-worker", container={"env": reference})) == []


@pytest.mark.parametrize(
    ("document", "severity", "said"),
    [
        (
            deployment("flower", {"image": "flower:2", **env("CELERY_BROKER_URL", f"redis://:{CANARY}@r/0")}),
            "error",
            "",
        ),
        (deployment("flower", {"image": "flower:2", **env("FLOWER_BASIC_AUTH", f"a:{CANARY}")}), "error", ""),
        (deployment("flower", {"image": "flower:2", "args": [f"--basic-auth=a:{CANARY}"]}), "error", "basic-auth"),
        (scaled_object("lms-worker", triggers=[{"metadata": {"password": CANARY}}]), "error", "password"),
        (scaled_object("lms-worker", triggers=[{"metadata": {"sentinelPassword": CANARY}}]), "error", "sentinel"),
        (worker("lms-worker", container=env("SENTRY_DSN", f"https://k:{CANARY}@sentry.io/1")), "warning", "SENTRY"),
        (worker("lms-worker", "a", f"--broker=redis://:{CANARY}@redis"), "warning", "a URL with a password"),
        (deployment("mysql", env("MYSQL_ROOT_PASSWORD", CANARY)), "info", "MYSQL_ROOT_PASSWORD"),
        (deployment("redis", {"args": ["redis-server", "--requirepass", CANARY]}), "info", "requirepass"),
        (resource("ConfigMap", "c", data={"lms.env.yml": f'SECRET_KEY: "{CANARY}"\n'}), "info", "SECRET_KEY"),
        (resource("ConfigMap", "c", data={"lms.env.yml": f"PASSWORD: {CANARY}\n"}), "info", "PASSWORD"),
        (resource("ConfigMap", "c", data={"a.py": f'JWT["JWT_SECRET_KEY"] = "{CANARY}"\n'}), "info", "JWT_SECRET_KEY"),
        (resource("ConfigMap", "c", data={"a.sh": f"curl http://me:{CANARY}@host/\n"}), "info", "a URL"),
        (resource("ConfigMap", "c", data={"API_KEY": CANARY}), "info", "API_KEY"),
    ],
)
def test_clear_text(document: str, severity: str, said: str) -> None:
    (problem,) = problems("clear-text-password", document)
    assert problem.severity == severity
    assert said in problem.message
    assert CANARY not in str(problem)


@pytest.mark.parametrize(
    "document",
    [
        worker("lms-worker", container=env("REDIS_PASSWORD", "")),
        worker("lms-worker", container=env("REDIS_PASSWORD", "$(PASSWORD)")),
        worker("lms-worker", container=env("URL", "redis://redis:6379/0")),
        deployment("mysql", {"args": ["mysqld", "--mysql-native-password=ON"]}),
        scaled_object("lms-worker", triggers=[trigger("a", metadata={"passwordFromEnv": "REDIS_PASSWORD"})]),
        resource("ConfigMap", "c", data={"a.py": 'SECRET_KEY = os.environ["SECRET_KEY"]\nPASSWORD = None\n'}),
        resource("ConfigMap", "c", data={"a.sh": "mysql --password=$MYSQL_PASSWORD redis://:${PASSWORD}@redis\n"}),
        resource("ConfigMap", "c", data={"lms.env.yml": "ENABLE_PASSWORD: true\nPASSWORD: null\n"}),
    ],
)
def test_what_only_looks_like_it(document: str) -> None:
    assert found(document) == []


def test_many_are_counted() -> None:
    text = "".join(f'A{number}_PASSWORD = "{CANARY}"\n' for number in range(8))
    (problem,) = problems("clear-text-password", resource("ConfigMap", "c", data={"a.py": text}))
    assert problem.message.endswith("A4_PASSWORD and 3 more")
