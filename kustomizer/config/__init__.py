"""The CeleryWorkers object: its types, reading and checking it, the layers of settings, and its JSON Schema.

May import `worker_command` and what stands above it.
"""
