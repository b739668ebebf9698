"""The commands of `tutor-kustomizer`, one module each: click's declaration, and a function that does the work."""
