"""The Tutor plugin: `tutor kustomizer ...`, and the routing that Tutor renders into Open edX's settings.

May import `commands`, and what stands below it.
"""
