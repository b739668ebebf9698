"""No secret of a Tutor site gets out: each of its settings is given a value of its own, which is looked for everywhere.

With Tutor 22 and all of its plugins that is what stands in settings, in SQL, in files of ClickHouse, Superset and
Vector, in arguments and in environment variables.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from kustomizer.cli import main
from tests import sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FORMS = ("markdown", "json", "github", "html")
# How much of a secret may be shown by chance.
WINDOW = 8
LISTED = "import json, sys; from tutor import config; from tutor.hooks import Actions; Actions.CORE_READY.do(); "
LISTED += "found = config.load_full(sys.argv[1]); print(json.dumps([key for key in found if type(found[key]) is str]))"
SECRET = re.compile("PASSWORD|PASSWD|SECRET|TOKEN|SALT|PRIVATE|HASHED|API_KEY$|MASTER_KEY$|SECRET_KEY$")
# Tutor makes these itself, of other settings or of nothing.
MADE = {"JWT_RSA_PRIVATE_KEY", "RALPH_ADMIN_HASHED_PASSWORD", "RALPH_LMS_HASHED_PASSWORD"}
# What Tutor computes: the numbers of the private key, and hashes of passwords.
COMPUTED = re.compile(r'"(?:d|p|q|dp|dq|qi)": "([\w-]{40,})"|\$2[aby]\$\d\d\$([./A-Za-z0-9]{53})')
PUBLIC = re.compile(r'"n": "([\w-]{40,})"')
# What may stand within quotes of any file that Tutor's templates write, and in a URL.
LETTERS = "+%=!~^*-_"


def planted(setting: str, side: str) -> str:
    """Return a value that no other setting has; of some with letters that URLs and SQL escape."""
    digest = hashlib.sha256(f"{side} {setting}".encode()).digest()
    plain = base64.b64encode(digest).decode().translate(str.maketrans("+/=", "xyz"))[:24]
    return plain if digest[0] % 2 else plain[:10] + "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:2]) + plain


def rendered(directory: Path, side: str) -> tuple[dict[str, str], Path]:
    """Render the full site with planted values; return them by setting, and what kustomize builds."""
    root = directory / side
    root.mkdir()
    lines = (sites.site("full").parent / "config.yml").read_text().split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("JWT_RSA_PRIVATE_KEY"))
    end = next(index for index in range(start + 1, len(lines)) if not lines[index].startswith(" "))
    (root / "config.yml").write_text("\n".join([*lines[:start], *lines[end:]]))
    env = {key: value for key, value in os.environ.items() if not key.startswith("TUTOR_")}
    env |= {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(root / "plugins")}
    python = sites.tutor("22").parent / "python"
    settings = json.loads(sites.run(python, "-c", LISTED, root, env=env))
    values = {name: planted(name, side) for name in settings if SECRET.search(name) and name not in MADE}
    options = [f"--set={name}={json.dumps(value)}" for name, value in values.items()]
    sites.run(sites.tutor("22"), "config", "save", *options, env=env)
    build = directory / f"{side}.yaml"
    build.write_bytes(sites.run(sites.kustomize(sites.NEWEST), "build", root / "env"))
    shutil.rmtree(root)
    return values, build


def forms(value: str) -> Iterator[str]:
    """Yield ``value`` as it might stand in a report."""
    data = value.encode()
    yield from (value, value[::-1], quote(value, safe=""), json.dumps(value)[1:-1], html.escape(value), data.hex())
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + data).decode()[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
    yield from (hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256"))


def windows(value: str) -> set[str]:
    """Return every piece of ``value`` that is long enough to be no chance."""
    return {value[index : index + WINDOW] for index in range(len(value) - WINDOW + 1)}


def reports(directory: Path, before: Path, after: Path) -> Mapping[str, str]:
    """Return what is printed of two builds in every form, whole."""
    files = {form: directory / f"report.{form}" for form in FORMS}
    options = [f"--write={form}={file}" for form, file in files.items()]
    done = CliRunner().invoke(main, ["diff", str(before), str(after), "--full", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {"text": done.output, **{form: file.read_text() for form, file in files.items()}}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Sequence[tuple[dict[str, str], Path]]:
    """Return the site with two sets of secrets."""
    directory = tmp_path_factory.mktemp("planted")
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda side: rendered(directory, side), ("before", "after")))


@pytest.fixture(scope="module")
def secrets(both: Sequence[tuple[dict[str, str], Path]]) -> Mapping[str, str]:
    """Return each piece of a secret of the two sites, and whose it is."""
    texts = [build.read_text() for _, build in both]
    found = {
        piece: name
        for values, _ in both
        for name, value in values.items()
        for form in forms(value)
        for piece in windows(form)
    }
    computed = {group for text in texts for match in COMPUTED.finditer(text) for group in match.groups() if group}
    found |= {piece: "what Tutor computes" for value in computed for piece in windows(value)}
    public = {piece for text in texts for value in PUBLIC.findall(text) for piece in windows(value)}
    return {piece: name for piece, name in found.items() if piece not in public}


def leaks(text: str, secrets: Mapping[str, str]) -> set[str]:
    """Return whose pieces stand in ``text``."""
    return {
        secrets[text[index : index + WINDOW]] for index in range(len(text)) if text[index : index + WINDOW] in secrets
    }


def test_every_kind_of_setting_is_planted(both: Sequence[tuple[dict[str, str], Path]]) -> None:
    (values, build), _ = both
    text = build.read_text()
    used = {name for name, value in values.items() if any(form in text for form in forms(value))}
    assert len(used) > 30, sorted(values.keys() - used)
    assert COMPUTED.search(text)


@pytest.mark.parametrize("pair", ["change", "add", "destroy"])
def test_no_report_holds_a_piece_of_a_secret(
    pair: str, both: Sequence[tuple[dict[str, str], Path]], secrets: Mapping[str, str], tmp_path: Path
) -> None:
    before, after = (build for _, build in both)
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: openedx\n")
    builds = {"change": (before, after), "add": (nothing, after), "destroy": (before, nothing)}[pair]
    found = reports(tmp_path, *builds)
    assert all("(secret" in text for form, text in found.items() if form != "github")
    assert not {(form, name) for form, text in found.items() for name in leaks(text, secrets)}
