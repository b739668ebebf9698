"""A finding, and the forms in which findings are printed: text, JSON, SARIF, GitHub's annotations.

May import `kustomize` and the layers below it (docs/architecture.md).
"""
