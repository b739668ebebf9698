"""Compares two builds of a site, and reports the changes in the words of those who run it.

`model` holds the comparison's types. `sources` reads the two builds, `prepare` masks secrets and makes the builds
comparable, `compare` finds the changes, `rules` judges them, and `reports` prints them.

May import `tutor_env` and `advice`, and what stands below them.
"""
