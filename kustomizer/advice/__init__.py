"""What the numbers of a site's tasks say: tasks that their workers don't fit, and settings that would.

May import `overlay` and the layers below it (docs/architecture.md).
"""
