"""The CeleryWorkers object: its types, its reader and checks, the layers of settings, and its JSON Schema.

May import `worker_command` and what stands below it.
"""
