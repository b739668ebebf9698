"""The commands of `tutor-kustomizer`, one module each: click's declaration, and a function that does the work.

May import `diff`, and what stands below it.
"""
