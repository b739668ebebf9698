"""Files, other programs, Git and the terminal: the only package that touches the machine for its own sake.

It knows nothing of Kubernetes or Celery.

May import `errors`, and what stands below it.
"""
