"""The rules of `tutor-kustomizer diff`: each module is one, and its docstring the rule's page."""
