"""Files, other programs, Git and the terminal: the only package that touches the machine for its own sake.

It knows nothing of Kubernetes or Celery, and imports only `kustomizer.errors` and `kustomizer.record`.
"""
