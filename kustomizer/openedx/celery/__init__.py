"""What Celery in a container will do: read from its command line, environment, settings files and defaults.

`view` is the entrance; the other modules read one kind of source each. Imported only for what a site sets itself: a
plain site's answers are in `openedx.workers`.
"""
