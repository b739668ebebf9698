"""Tutor's env/ with the split in it: how the Tutor plugin's step writes it, and how commands know it.

May import `rules`, `migration`, `export` and `cluster`, and what stands below them.
"""
