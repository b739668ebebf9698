"""Which texts are secret, and what is printed in their place.

May import `transform` and the layers below it (docs/architecture.md).
"""
