"""What is known of a site's tasks: which there are, and the queue that each goes to.

May import `findings` and what stands below it.
"""
