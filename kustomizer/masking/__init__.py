"""Which texts are secret, and what is printed in their place."""
