"""Which texts are secret, and what is printed in their place.

May import `function_help` and the layers below it (docs/architecture.md).
"""
