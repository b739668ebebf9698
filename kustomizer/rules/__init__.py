"""The rules of `tutor-kustomizer check`: each module with a ``check`` is one, and its docstring the rule's page.

May import `site` and `overlay`, and what stands below them.
"""
