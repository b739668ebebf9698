"""What is known of a site's tasks: which there are, and the queue that each goes to.

May import `config`, `masking` and `findings`, and what stands below them.
"""
