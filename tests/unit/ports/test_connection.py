"""A target: what of its URL may be shown, and what is wrong with it."""

import pytest

from rightstore.errors import UsageError
from rightstore.ports.connection import Target

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"postgresql://app:{CANARY}@db.example:5432/shop", "db.example:5432"),
        (f"postgresql://app:{CANARY}@/shop?host=/run/pg&port=5433", "/run/pg:5433"),
        (f"postgresql://app:{CANARY}@/shop?host=/run/pg&sslpassword={CANARY}", "/run/pg"),
        (f"mongodb://app:{CANARY}@a.example:1,b.example:2/?w=1", "a.example:1,b.example:2"),
        (f"redis://:{CANARY}@[::1]:6379/0", "[::1]:6379"),
        (f"unix://:{CANARY}@/run/redis.sock?db=0", "/run/redis.sock"),
        (f"https://app:{CANARY}@search.example", "search.example"),
        (f"redis://app:{CANARY}@[::1", ""),
    ],
)
def test_the_address_is_shown_without_the_secret(url: str, address: str) -> None:
    target = Target("any", url)

    assert target.address == address
    assert CANARY not in repr(target)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("redis://localhost:6379", True),
        ("redis://127.0.0.1:6379", True),
        ("redis://[::1]:6379", True),
        ("unix:///run/redis.sock", True),
        ("postgresql:///shop?host=/run/pg", True),
        ("redis://10.0.0.7:6379", False),
        ("redis://localhost.example:6379", False),
        ("mongodb://localhost:1,db.example:2", False),
    ],
)
def test_a_server_within_this_machine_is_local(url: str, local: bool) -> None:
    assert Target("any", url).is_local is local


def test_a_sound_url_comes_in_its_parts() -> None:
    parts = Target("redis", f"rediss://:{CANARY}@cache.example:6379/1").parts("redis", "rediss")

    assert (parts.scheme, parts.hostname, parts.port) == ("rediss", "cache.example", 6379)
    assert parts.password == CANARY


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (f"http://:{CANARY}@cache.example", "it must begin with redis:// or rediss://"),
        (CANARY, "it must begin with redis:// or rediss://"),
        (f"redis://:{CANARY}@", "it names no host"),
        (f"redis://:{CANARY}@:6379", "it names no host"),
        (f"redis://:{CANARY}@cache.example:0", "its port is not a number from 1 to 65535"),
        (f"redis://:{CANARY}@cache.example:65536", "its port is not a number from 1 to 65535"),
        (f"redis://cache.example:{CANARY}", "its port is not a number from 1 to 65535"),
        (f"redis://a:1,b:{CANARY}", "its port is not a number from 1 to 65535"),
        (f"redis://:{CANARY}@[::1", "it names no host"),
    ],
)
def test_a_malformed_url_is_told_without_a_word_of_it(url: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target("redis", url).parts("redis", "rediss")

    assert str(caught.value).startswith(f"REDIS_URL is not a URL of redis: {complaint}")
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None
