"""Tutor's env/ with the split in it: how the Tutor plugin's step writes it, and how commands know it.

May import `export` and what stands below it.
"""
