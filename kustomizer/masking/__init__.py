"""Which texts are secret, and what is printed in their place.

May import `findings` and what stands above it.
"""
