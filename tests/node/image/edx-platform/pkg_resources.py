def require(*names):
    """Every distribution is there."""
