"""The Tutor plugin: `tutor kustomizer ...`, and the routing that Tutor renders into Open edX's settings.

May import `commands` and the layers below it (docs/architecture.md).
"""
