"""What the numbers of a site's tasks say: tasks that their workers don't fit, and settings that would.

May import `rules`, `migration`, `export` and `cluster`, and what stands below them.
"""
