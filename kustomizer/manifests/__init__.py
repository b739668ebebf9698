"""Kubernetes objects as text and as trees: reading, identity, comparing values, writing.

Untouched objects keep their bytes, so an object is parsed only when somebody asks for its contents.

May import `errors`, and what stands below it.
"""
