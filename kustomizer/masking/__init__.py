"""Which texts are secret, and what is printed in their place.

May import `manifests`, `worker_command` and `system`, and what stands below them.
"""
