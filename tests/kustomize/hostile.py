"""Overlays that try to have a line run, or a file read, that is none of theirs; each is a set of files by path.

``{canary}`` in a file is the path that a program of theirs makes, ``{root}`` the directory they lie in.
"""

from __future__ import annotations

from typing import NamedTuple

SCRIPT = "#!/bin/sh\necho ran >>'{canary}'\nexec cat\n"
OWN = """\
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata:
  name: celery-workers
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: tutor-celery-workers
spec: {workers: {lms: {high: {}, high_mem: {}}}}
"""
HEAD = "apiVersion: example.com/v1\nkind: Other\nmetadata:\n  name: other\n"


def naming(function: str, *, key: str = "config.kubernetes.io/function") -> str:
    """Return an object that names a function."""
    return f"{HEAD}  annotations:\n    {key}: {function!r}\n"


EXEC = naming("exec: {path: ./run.sh}")
JSON_PATCH = """\
- op: add
  path: /metadata/annotations
  value: {config.kubernetes.io/function: "exec: {path: ./run.sh}"}
"""


class Overlay(NamedTuple):
    """Files of an overlay, links among them, and what the refusal says."""

    files: dict[str, str]
    says: str
    links: dict[str, str] = {}  # noqa: RUF012 - never changed


def listing(entry: str, field: str = "transformers", **files: str) -> dict[str, str]:
    """Return an overlay that lists a plugin beside our function."""
    names = {name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in files.items()}
    return {
        "kustomization.yaml": f"resources:\n- ../env\ntransformers:\n- own.yaml\n---{field}---\n- {entry}\n".replace(
            "---transformers---\n", ""
        ).replace(f"---{field}---", f"{field}:"),
        "own.yaml": OWN,
        **names,
    }


def indented(text: str, margin: str) -> str:
    """Return ``text`` as a block of a kustomization."""
    return "".join(f"{margin}{line}\n" for line in text.splitlines())


def directory(kustomization: str, **files: str) -> dict[str, str]:
    """Return an overlay that lists a directory of plugins."""
    return listing("plugins", plugins__kustomization_yaml=kustomization, **files)


RUNS = "the build would run "
PLAIN = {"kustomization.yaml": "resources:\n- ../env\n- below\ntransformers:\n- own.yaml\n", "own.yaml": OWN}

PROGRAMS = {
    "exec function in a file": Overlay(listing("e.yaml", e_yaml=EXEC), RUNS),
    "exec function as a generator": Overlay(listing("e.yaml", "generators", e_yaml=EXEC), RUNS),
    "exec function as a validator": Overlay(listing("e.yaml", "validators", e_yaml=EXEC), RUNS),
    "the older annotation": Overlay(
        listing("e.yaml", e_yaml=naming("exec: {path: ./run.sh}", key="config.k8s.io/function")), RUNS
    ),
    "both annotations": Overlay(
        listing(
            "e.yaml",
            e_yaml=naming("exec: {path: ./run.sh}")
            + "    config.k8s.io/function: 'exec: {path: tutor-celery-workers}'\n",
        ),
        "names several functions",
    ),
    "configFn": Overlay(listing("e.yaml", e_yaml=f"{HEAD}  configFn: {{exec: {{path: ./run.sh}}}}\n"), RUNS),
    "a container": Overlay(
        listing("e.yaml", e_yaml=naming("container: {image: 'example.com/i:1'}")), "run docker:example.com/i:1"
    ),
    "a container by annotation": Overlay(
        listing("e.yaml", e_yaml=naming("example.com/i:1", key="config.kubernetes.io/container")),
        "run docker:example.com/i:1",
    ),
    "starlark": Overlay(
        listing("e.yaml", e_yaml=naming("starlark: {path: ./run.sh}")), "in another way than `exec: {path"
    ),
    "our function with arguments": Overlay(
        listing("e.yaml", e_yaml=naming("exec: {path: tutor-celery-workers, args: [/etc/passwd]}")),
        "in another way than `exec: {path",
    ),
    "letters of another case in the annotation": Overlay(
        listing("e.yaml", e_yaml=naming("EXEC: {Path: ./run.sh}")), "in another way than `exec: {path"
    ),
    "a program of the system": Overlay(listing("e.yaml", e_yaml=naming("exec: {path: env}")), f"{RUNS}env"),
    "an absolute path": Overlay(listing("e.yaml", e_yaml=naming("exec: {path: '{root}/overlay/run.sh'}")), RUNS),
    "in line": Overlay(listing("|-\n" + indented(EXEC, "  "), "transformers"), RUNS),
    "in line, on one line": Overlay(
        listing(
            "'{apiVersion: a/v1, kind: E, metadata: {name: e, annotations: "
            '{config.kubernetes.io/function: "exec: {path: ./run.sh}"}}}\''
        ),
        RUNS,
    ),
    "behind ours in one file": Overlay(
        listing("e.yaml", e_yaml=f"{OWN.replace('celery-workers', 'b')}---\n{EXEC}"), RUNS
    ),
    "behind an odd separator": Overlay(listing("e.yaml", e_yaml=f"{OWN}--- # more\n{EXEC}"), RUNS),
    "in a list": Overlay(
        listing("e.yaml", e_yaml="apiVersion: v1\nkind: List\nitems:\n-\n" + indented(EXEC, "  ")),
        "something else than single objects",
    ),
    "in a list that says it is builtin": Overlay(
        listing(
            "e.yaml",
            e_yaml="apiVersion: builtin\nkind: PatchTransformerList\nmetadata: {name: l}\nitems:\n-\n"
            + indented(EXEC, "  "),
        ),
        "something else than single objects",
    ),
    "in a directory": Overlay(directory("resources: [e.yaml]\n", plugins__e_yaml=EXEC), RUNS),
    "put together by a JSON patch": Overlay(
        directory(
            "resources:\n- e.yaml\npatches:\n- target: {kind: Other}\n  patch: |\n" + indented(JSON_PATCH, "    "),
            plugins__e_yaml=HEAD,
        ),
        RUNS,
    ),
    "put together by a merge patch": Overlay(
        directory("resources: [e.yaml]\npatches:\n- path: p.yaml\n", plugins__e_yaml=HEAD, plugins__p_yaml=EXEC), RUNS
    ),
    "put together by common annotations": Overlay(
        directory(
            'resources: [e.yaml]\ncommonAnnotations: {config.kubernetes.io/function: "exec: {path: ./run.sh}"}\n',
            plugins__e_yaml=HEAD,
        ),
        RUNS,
    ),
    "put together by a replacement": Overlay(
        directory(
            "resources: [e.yaml]\nreplacements:\n- source: {kind: Other, fieldPath: spec.f}\n  targets:\n"
            "  - select: {kind: Other}\n    fieldPaths:\n    - metadata.annotations.[config.kubernetes.io/function]\n"
            "    options: {create: true}\n",
            plugins__e_yaml=HEAD + "spec: {f: 'exec: {path: ./run.sh}'}\n",
        ),
        RUNS,
    ),
    "put together by a transformer of the directory": Overlay(
        directory(
            "resources: [e.yaml]\ntransformers: [t.yaml]\n",
            plugins__e_yaml=HEAD,
            plugins__t_yaml="apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: t}\n"
            'annotations: {config.kubernetes.io/function: "exec: {path: ./run.sh}"}\n'
            "fieldSpecs: [{path: metadata/annotations, create: true}]\n",
        ),
        RUNS,
    ),
    "ours, with another program patched in": Overlay(
        directory(
            "resources: [o.yaml]\npatches:\n- target: {kind: CeleryWorkers}\n  patch: |\n"
            + indented(JSON_PATCH, "    "),
            plugins__o_yaml=OWN,
        ),
        RUNS,
    ),
    "ours, with another kind patched in": Overlay(
        directory(
            "resources: [o.yaml]\npatches:\n- target: {kind: CeleryWorkers}\n  options: {allowKindChange: true}\n"
            "  patch: |\n" + indented(EXEC.replace("name: other", "name: celery-workers"), "    "),
            plugins__o_yaml=OWN,
        ),
        RUNS,
    ),
    "left out of what a build prints": Overlay(
        directory(
            "resources: [e.yaml]\nnamePrefix: a-\n",
            plugins__e_yaml=f'{EXEC}    config.kubernetes.io/local-config: "true"\n',
        ),
        RUNS,
    ),
    "a directory that is built with a program": Overlay(
        directory("resources: [o.yaml]\ntransformers: [e.yaml]\n", plugins__o_yaml=OWN, plugins__e_yaml=EXEC), RUNS
    ),
    "three directories down": Overlay(
        PLAIN
        | {
            "below/kustomization.yaml": "resources: [b]\n",
            "below/b/kustomization.yaml": "components: [../c]\nresources: [n.yaml]\n",
            "below/b/n.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\n",
            "below/c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            "transformers: [e.yaml]\n",
            "below/c/e.yaml": EXEC.replace("./run.sh", "../../run.sh"),
        },
        RUNS,
    ),
    "in a base of the older field": Overlay(
        {
            "kustomization.yaml": "resources: [../env]\nbases: [below]\ntransformers: [own.yaml]\n",
            "own.yaml": OWN,
            "below/kustomization.yaml": "resources: [n.yaml]\ntransformers: [e.yaml]\n",
            "below/n.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\n",
            "below/e.yaml": EXEC.replace("./run.sh", "../run.sh"),
        },
        RUNS,
    ),
    "through a link to a directory": Overlay(
        PLAIN
        | {
            "hidden/kustomization.yaml": "resources: [n.yaml]\ntransformers: [e.yaml]\n",
            "hidden/n.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\n",
            "hidden/e.yaml": EXEC.replace("./run.sh", "../run.sh"),
        },
        RUNS,
        {"below": "hidden"},
    ),
    "through a link to a file": Overlay(listing("l.yaml", e_yaml=EXEC), RUNS, {"l.yaml": "e.yaml"}),
    "a field in capitals": Overlay(
        {"kustomization.yaml": "resources: [../env]\nTransformers: [e.yaml]\n", "e.yaml": EXEC}, "is not spelled as"
    ),
    "a field with a long s": Overlay(
        {"kustomization.yaml": 'resources: [../env]\n"tran\\u017fformers": [e.yaml]\n', "e.yaml": EXEC},
        "is not spelled as",
    ),
    "a field that stands there twice": Overlay(
        {
            "kustomization.yaml": "resources: [../env]\ntransformers: [own.yaml]\ntransformers: [e.yaml]\n",
            "own.yaml": OWN,
            "e.yaml": EXEC,
        },
        "stands there twice",
    ),
    "a merge key": Overlay(
        {
            "kustomization.yaml": "commonAnnotations: &a {}\n<<: {transformers: [e.yaml]}\nresources: [../env]\n",
            "e.yaml": EXEC,
        },
        "an alias, a tag, or a merge key",
    ),
    "an alias": Overlay(
        {
            "kustomization.yaml": "resources: [../env]\ncrds: &a [e.yaml]\ntransformers: *a\n",
            "e.yaml": EXEC,
        },
        "an alias, a tag, or a merge key",
    ),
    "an alias in a plugin": Overlay(
        listing(
            "e.yaml",
            e_yaml=f"{HEAD}  annotations:\n    a: &a 'exec: {{path: ./run.sh}}'\n"
            "    config.kubernetes.io/function: *a\n",
        ),
        RUNS,
    ),
    "a tag in a plugin": Overlay(listing("e.yaml", e_yaml=EXEC.replace("'exec", "!!str 'exec")), RUNS),
    "a key in other letters": Overlay(
        listing("e.yaml", e_yaml=EXEC.replace("config.kubernetes.io/function", r'"config.kubernetes.io/\x66unction"')),
        RUNS,
    ),
    "keys hidden in a text of several lines": Overlay(
        listing(
            "e.yaml",
            e_yaml='spec:\n  a: "\napiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata:\n'
            f'  name: x\n  b: x"\n{EXEC}',
        ),
        "Error: ",
    ),
    "two kustomizations": Overlay(
        {
            "kustomization.yaml": "resources: [../env]\n",
            "Kustomization": "resources: [../env]\ntransformers: [e.yaml]\n",
            "e.yaml": EXEC,
        },
        RUNS,
    ),
    "a byte order mark": Overlay(
        {"kustomization.yaml": "\ufeffresources: [../env]\ntransformers: [e.yaml]\n", "e.yaml": EXEC}, "odd line breaks"
    ),
    "line breaks that Python doesn't know": Overlay(
        {"kustomization.yaml": "resources: [../env]\n# \u2028transformers: [e.yaml]\n", "e.yaml": EXEC},
        "odd line breaks",
    ),
    "carriage returns": Overlay(
        {"kustomization.yaml": "resources: [../env]\n# \rtransformers: [e.yaml]\n", "e.yaml": EXEC}, "odd line breaks"
    ),
    "a legacy plugin of the user's": Overlay(
        listing("e.yaml", e_yaml="apiVersion: theirs.example.com/v1\nkind: Theirs\nmetadata: {name: t}\n"),
        f"{RUNS}theirs.example.com/v1/Theirs",
    ),
    "a legacy plugin out of the plugin home": Overlay(
        listing(
            "e.yaml",
            e_yaml="apiVersion: ../../../../../../../../../../..{root}/overlay/v1\nkind: Run\nmetadata: {name: r}\n",
            v1__run__Run=SCRIPT,
        ),
        RUNS,
    ),
    "a legacy plugin beside ours": Overlay(
        listing(
            "e.yaml",
            e_yaml="apiVersion: celery.openedx.io/v1alpha1/../../../../../../../../..{root}/overlay/v1\nkind: Run\n"
            "metadata: {name: r}\n",
            v1__run__Run=SCRIPT,
        ),
        RUNS,
    ),
    "ours with arguments from a file": Overlay(
        listing(
            "e.yaml",
            e_yaml="apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata: {name: c}\n"
            "argsFromFile: run.sh\n",
        ),
        "fields that it can't have",
    ),
    "a chart": Overlay(
        PLAIN | {"below/kustomization.yaml": "helmCharts:\n- {name: c, repo: 'http://127.0.0.1:9'}\n"}, f"{RUNS}helm"
    ),
    "a chart by a builtin plugin": Overlay(
        listing(
            "e.yaml",
            "generators",
            e_yaml="apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: h}\nname: c\n",
        ),
        f"{RUNS}helm",
    ),
    "a schema beside plugins that have to be made first": Overlay(
        directory("resources: [o.yaml]\nnamePrefix: a-\n", plugins__o_yaml=OWN)
        | {
            "kustomization.yaml": "resources: [../env]\nopenapi: {path: s.json}\ntransformers: [plugins]\n",
            "s.json": "{}",
        },
        "a schema of its own",
    ),
}

REMOTE = {
    "a base over HTTPS": "resources: [../env, 'https://127.0.0.1:9/a/b?ref=c']\n",
    "a base by another spelling": "resources: [../env, 'hTTps://127.0.0.1:9/a/b']\n",
    "a base over SSH": "resources: [../env, 'ssh://git@127.0.0.1:9/a/b']\n",
    "a base as scp names it": "resources: [../env, 'git@127.0.0.1:a/b']\n",
    "a base in a file system": "resources: [../env, 'file:///tmp/a']\n",
    "a base at GitHub": "resources: [../env, 'github.com/a/b']\n",
    "a component": "resources: [../env]\ncomponents: ['git::https://127.0.0.1:9/a/b']\n",
    "a transformer": "resources: [../env]\ntransformers: ['http://127.0.0.1:9/t.yaml']\n",
    "a file of a ConfigMap": "resources: [../env]\nconfigMapGenerator:\n- name: c\n  files: ['a=http://127.0.0.1:9/a']\n",
    "variables of a Secret": "resources: [../env]\nsecretGenerator:\n- name: c\n  envs: ['http://127.0.0.1:9/a']\n",
    "a patch": "resources: [../env]\npatches:\n- path: http://127.0.0.1:9/p.yaml\n",
    "a replacement": "resources: [../env]\nreplacements:\n- path: http://127.0.0.1:9/p.yaml\n",
    "a schema": "resources: [../env]\nopenapi: {path: 'http://127.0.0.1:9/s.json'}\n",
    "a CRD": "resources: [../env]\ncrds: ['http://127.0.0.1:9/s.json']\n",
    "a configuration": "resources: [../env]\nconfigurations: ['http://127.0.0.1:9/c.yaml']\n",
    "a patch of a builtin plugin": "resources: [../env]\ntransformers:\n- |-\n  apiVersion: builtin\n"
    "  kind: PatchTransformer\n  metadata: {name: p}\n  path: http://127.0.0.1:9/p.yaml\n",
}
"""Kustomizations that would have something fetched."""
