"""Python imports this in a pod's process before anything else: Celery's own times, divided where a test says so.

What is emitted states some times, and tests.control_plane.faster divides those. These are the ones that nobody states.
"""

import os

if (factor := float(os.environ["TIME_FACTOR"])) != 1:
    from kombu.transport.redis import Channel

    for name in ("visibility_timeout", "unacked_restore_interval", "unacked_mutex_expire"):
        setattr(Channel, name, getattr(Channel, name) / factor)
    # It has to be whole seconds.
    Channel.unacked_mutex_expire = int(Channel.unacked_mutex_expire)
