"""What Celery in a container will do: read from its command line, environment, settings files and defaults.

`view` is the entrance; the other modules read one kind of source each. Imported only for what a site sets itself: a
plain site's answers are in `openedx.workers`.

A settings file is followed and never run: `statements` goes through it, with `assignments`, `loops` and `failures`;
`skipped` notes what may have run or not. `expressions` evaluates, with `operators`, and for what is called `calls`,
`methods` and `os_environ`. `scope` has the names, `python_values` what they hold.
"""
