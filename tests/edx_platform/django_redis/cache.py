from django.core.cache.backends.locmem import LocMemCache as RedisCache  # noqa: F401
