"""The commands of `tutor-kustomizer`, one module each: a worker function that returns, and what click needs."""
