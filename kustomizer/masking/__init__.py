"""Which texts are secret, and what is printed in their place.

May import `transform` and what stands above it.
"""
