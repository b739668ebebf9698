"""Which texts are secret, and what is printed in their place.

May import `function` and what stands below it.
"""
