def by_course(name, args, kwargs, options, task=None, **kw):
    """Route by the first argument of a call."""
    if "by_course" in name:
        return {"queue": "edx.lms.core.high_mem" if args[0].startswith("course-v1:") else "edx.lms.core.default"}
    return None
