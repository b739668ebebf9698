"""A finding, and the forms in which findings are printed: text, JSON, SARIF, GitHub's annotations.

May import `kustomize` and what stands below it.
"""
