"""Django's cache through both of the usual backends; prints "ok"."""
import os

import django
from django.conf import settings

settings.configure(CACHES={
    "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": os.environ["CACHE_URL"], "KEY_PREFIX": "dj",
                "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"}},
})
django.setup()

from django.core.cache import cache  # noqa: E402

assert cache.set("a", {"x": [1, 2]}, timeout=60) and cache.get("a") == {"x": [1, 2]}
assert cache.add("a", 1) is False and cache.add("b", 1) is True
assert cache.incr("b", 4) == 5 and cache.get_or_set("c", lambda: 7) == 7
cache.set_many({f"m{i}": i for i in range(200)}, timeout=60)
assert cache.get_many([f"m{i}" for i in range(200)]) == {f"m{i}": i for i in range(200)}
assert cache.delete_many(["m0", "m1"]) == 2 and cache.get("m0") is None and cache.ttl("a") > 0
assert len(list(cache.iter_keys("m*"))) == 198 and cache.delete_pattern("m*") == 198
with cache.lock("lock", timeout=5):
    assert cache.get("a", version=2) is None
cache.set("v", 1, version=1)
assert cache.incr_version("v") == 2 and cache.get("v", version=2) == 1
cache.clear()
assert cache.get("a") is None
print("ok")
