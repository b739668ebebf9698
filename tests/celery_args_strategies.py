"""Random command lines of Celery workers, in every spelling that click takes."""

from __future__ import annotations

import shlex

from hypothesis import strategies as st

from kustomizer.worker_command.options import OPTIONS, Option

FLAGS = [option for option in OPTIONS if option.is_flag and not option.before_worker and option.name != "--help"]
VALUED = [option for option in OPTIONS if not option.is_flag and not option.before_worker]
SHORT_FLAGS = [option.spellings[-1][1:] for option in FLAGS if len(option.spellings[-1]) == 2]

values = st.one_of(
    st.sampled_from(
        [
            "",
            "a",
            "edx.lms.core.high,edx.lms.core.low",
            "--queues=b",
            "-Qb",
            "--",
            "-",
            "=a",
            "4",
            "a b",
            "it's",
            '$a"',
            "`\\",
            "#",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6).filter(lambda text: "$(" not in text),
)
"""Values as odd as they come. (``$(VAR)`` is the kubelet's.)"""


@st.composite
def valued(draw: st.DrawFn, options: list[Option] = VALUED) -> list[str]:
    """``--queues=a``, ``--queues a``, ``-Q a``, ``-Qa`` or ``-EQa``."""
    option, value = draw(st.sampled_from(options)), draw(values)
    spelling = draw(st.sampled_from(option.spellings))
    if spelling.startswith("--"):
        return draw(st.sampled_from([[f"{spelling}={value}"], [spelling, value]]))
    cluster = "-" + "".join(draw(st.lists(st.sampled_from(SHORT_FLAGS), max_size=2))) + spelling[1:]
    return draw(st.sampled_from([[cluster + value], [cluster, value]])) if value else [cluster, value]


flags = st.one_of(
    st.sampled_from([[spelling] for option in FLAGS for spelling in option.spellings]),
    st.lists(st.sampled_from(SHORT_FLAGS), min_size=1, max_size=3).map(lambda letters: ["-" + "".join(letters)]),
)
positional = values.filter(lambda text: text == "-" or not text.startswith("-")).map(lambda text: [text])


def joined(parts: list[list[str]]) -> list[str]:
    return [word for part in parts for word in part]


worker_args = st.builds(
    lambda parts, tail: joined(parts) + tail,
    st.lists(st.one_of(valued(), valued(), flags, positional), max_size=6),
    st.one_of(st.just([]), st.lists(values, max_size=2).map(lambda rest: ["--", *rest])),
)

GLOBALS = [["--app=lms.celery"], ["-A", "worker"], ["-Ax"], ["-qC"], ["-CA", "-q"], ["--no-color"], ["--workdir", "--"]]
before_worker = st.lists(st.sampled_from(GLOBALS), max_size=3).map(joined)

PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=,.")


@st.composite
def in_shell(draw: st.DrawFn, words: list[str]) -> str:
    """The words as they may stand in a shell string: quoted in some way, with some space between them."""
    script = ""
    for word in words:
        script += draw(st.sampled_from([" ", "  ", "\t", " \\\n  "])) if script else ""
        ways = [shlex.quote(word)]
        if word in ("celery", "worker"):
            ways = [word, f'"{word}"', f"'{word}'"]
        elif word and set(word) <= PLAIN:
            ways += [word, word[:1] + '"' + word[1:] + '"', "\\" + word]
        else:
            for char in '\\"$`':
                word = word.replace(char, "\\" + char)  # noqa: PLW2901
            ways.append(f'"{word}"')
        script += draw(st.sampled_from(ways))
    return script
