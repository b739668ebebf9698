"""flux-substitution: what Flux's postBuild would change, looked for only where it is asked for."""

from __future__ import annotations

import pytest

from kustomizer.errors import Problem
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from kustomizer.rules.registry import RULES
from kustomizer.site.model import Site
from tests.rules.small_site import deployment, finder, resource


def problems(*documents: str) -> list[Problem]:
    resources = Resources(read_stream("---\n".join(documents).encode(), b"{}").resources)
    return list(RULES["flux-substitution"].check(Site(resources, for_flux=True)))


def script(text: str) -> str:
    return resource("ConfigMap", "scripts", data={"other": "$HOME", "run.sh": text})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo ${HOME}", "holds ${HOME}: Flux's postBuild puts in what it knows"),
        ("echo ${A}${B}${A}${C:-p4ss}${_d/x/y}${E}", "holds ${A}, ${B}, ${C} and 2 more: Flux's"),
        (
            "echo ${A} ${@:2}",
            "holds ${A}: Flux's postBuild puts in what it knows for that, or refuses it; and a ${ with no",
        ),
        ("echo ${A[@]} ${B+x}", "holds a ${ with no variable's name, for which Flux's postBuild may refuse the build"),
        ("revision = ${repr(up)}", "holds a ${ with no variable's name"),
    ],
)
def test_places_that_flux_would_fill_in(text: str, said: str) -> None:
    (problem,) = problems(script(text))
    assert problem.message.startswith(said)
    assert (problem.severity, problem.field) == ("info", 'data["run.sh"]')
    assert "p4ss" not in problem.message


@pytest.mark.parametrize("text", ["$HOME $(HOME) {$HOME} $2b$12$x", "$${HOME}", "{{ a }}"])
def test_what_is_no_place(text: str) -> None:
    assert problems(script(text)) == []


@pytest.mark.parametrize("field", ["annotations", "labels"])
def test_an_object_that_opts_out(field: str) -> None:
    text = script("${HOME}")
    key = f'"{field}": {{"kustomize.toolkit.fluxcd.io/substitute": "%s"}}'
    assert problems(text.replace('"name": "scripts"', f'"name": "scripts", {key % "disabled"}')) == []
    assert len(problems(text.replace('"name": "scripts"', f'"name": "scripts", {key % "enabled"}'))) == 1


def test_any_object() -> None:
    (problem,) = problems(deployment("lms", {"args": ["sh", "-c", "exec ${COMMAND}"]}))
    assert problem.field == "spec.template.spec.containers[0].args[2]"


def test_nothing_is_said_unless_it_is_asked_for() -> None:
    assert finder("flux-substitution")(script("${HOME}")) == []
