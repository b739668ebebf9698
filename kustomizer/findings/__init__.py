"""A finding, and the forms in which findings are printed: text, JSON, SARIF, GitHub's annotations.

May import `manifests`, `worker_command` and `system`, and what stands below them.
"""
