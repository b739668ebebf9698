"""The CeleryWorkers object: its types, its reader and checks, the layers of settings, and its JSON Schema."""
