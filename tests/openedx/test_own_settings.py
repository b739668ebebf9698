"""Which sites set something that Celery heeds: the others' settings aren't followed, and aren't even parsed."""

from __future__ import annotations

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import Resources
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.workers import emitted_worker
from tests.golden_cases import GOLDEN, Case

STREAM = Case(GOLDEN / "recommended").stream
TUTORS = "  production.py: |\n    from lms.envs.production import *\n"


def with_files(files: str) -> Resources:
    """Return the resources of a plain site whose lms has these settings files."""
    assert TUTORS in STREAM
    return read_build(STREAM.replace(TUTORS, files).encode())


def is_plain(files: str) -> bool:
    """Tell whether a site with these settings files sets nothing of its own, as far as lms is concerned."""
    resources = with_files(files)
    return own_settings(resources, emitted_worker(resources, "lms")) is None


def test_the_settings_of_a_plain_site_are_not_parsed() -> None:
    resources = with_files(TUTORS)
    assert own_settings(resources, emitted_worker(resources, "lms")) is None
    assert [item.name for item in resources.of_kind("ConfigMap") if item.is_parsed] == []


@pytest.mark.parametrize(
    "files",
    [
        TUTORS,
        f"{TUTORS}    FEATURES = FeaturesProxy(globals())\n    NAME = globals().get('NAME')\n",
        # A worker loads neither of these.
        f"  development.py: |\n    from .production import *\n    CELERY_ALWAYS_EAGER = True\n{TUTORS}",
        f"{TUTORS}  test.py: |\n    BROKER_URL = 'memory://'\n",
        f'  development.py: "from lms.envs.devstack import *\\nCELERY_\\x41 = 1"\n{TUTORS}',
    ],
)
def test_a_site_without_settings_of_its_own(files: str) -> None:
    assert is_plain(files)


@pytest.mark.parametrize(
    "files",
    [
        f"{TUTORS}    CELERY_ACKS_LATE = True\n",
        f"{TUTORS}    DEFAULT_PRIORITY_QUEUE = 'mine'\n",
        f"{TUTORS}    from .development import *\n",
        f"{TUTORS}    from lms.envs.tutor.development import CELERY_ROUTES\n",
        f"{TUTORS}    from lms.envs.tutor.production import *\n",
        f"{TUTORS}    import acme; acme.settle(globals())\n",
        f"{TUTORS}    FEATURES = OtherProxy(globals())\n",
        f"{TUTORS}    exec(open('/settings.py').read())\n",
        f"{TUTORS}  acme.py: |\n    CELERY_ACKS_LATE = True\n",
        '  production.py: "from lms.envs.production import *\\nCELERY_\\x41CKS_LATE = True"\n',
        f"  'development.py': |\n    CELERY_ALWAYS_EAGER = True\n{TUTORS}",
    ],
)
def test_a_site_that_sets_something(files: str) -> None:
    assert not is_plain(files)
