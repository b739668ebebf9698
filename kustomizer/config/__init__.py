"""The CeleryWorkers object: its types, its reader and checks, the layers of settings, and its JSON Schema.

May import `manifests`, `worker_command` and `system`, and what stands below them.
"""
