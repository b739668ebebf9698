"""Moving over from tutor-contrib-celery, and nothing else."""
