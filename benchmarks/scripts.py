"""The little programs that the function is measured beside, and the plugin that upstream's users would write."""

READ_WRITE_CODE = """
import sys
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write("\\n- ".join(text.split("\\n- ")).encode())
"""
# kustomize writes a plain `=`, for which PyYAML has a tag and no constructor.
PYYAML_CODE = """
import sys, yaml
class Loader(yaml.CSafeLoader): pass
Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
tree = yaml.load(sys.stdin.buffer.read(), Loader)
yaml.dump(tree, sys.stdout, Dumper=yaml.CSafeDumper, sort_keys=False)
"""
LIST_IMPORTS_CODE = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv.pop(1))
from kustomizer.function import run
stdout, sys.stdout = sys.stdout, open("/dev/null", "w")
assert run() == 0
print(*sorted(set(sys.modules) - before - {"__main__"}), file=stdout)
"""
UPSTREAM_PLUGIN = """\
from tutorcelery.hooks import CELERY_WORKERS_CONFIG


@CELERY_WORKERS_CONFIG.add()
def configure(workers_config):
    for service, variants in {"lms": ("high", "high_mem"), "cms": ("high", "low")}.items():
        scaled = {**workers_config[service]["default"], "enable_keda": True}
        workers_config[service] = {name: dict(scaled) for name in ("default", *variants)}
    return workers_config
"""
