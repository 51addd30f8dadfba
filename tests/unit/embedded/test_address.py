import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from rightstore.embedded.address import (
    HIGHEST,
    LOWEST,
    keep_ports,
    kept_ports,
    postgres_url,
    redis_url,
    socket_path,
    urls,
)
from rightstore.embedded.home import Home
from rightstore.embedded.secret import Secrets
from rightstore.errors import UsageError


def test_ports_are_chosen_once_and_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = keep_ports(home, ["postgres"])

    second = keep_ports(home, ["redis", "postgres"])

    assert second["postgres"] == first["postgres"]
    assert len(set(second.values())) == 2
    assert all(LOWEST <= port < HIGHEST for port in second.values())
    assert kept_ports(home) == second


def test_a_taken_port_matters_only_to_a_wanted_store(tmp_path: Path) -> None:
    home = Home(tmp_path)
    port = keep_ports(home, ["postgres"])["postgres"]

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        kept = keep_ports(home, ["redis"])
        with pytest.raises(UsageError, match=f"port {port}, kept for postgres"):
            keep_ports(home, ["postgres"])

    assert kept["postgres"] == port


def test_there_are_urls_only_for_what_was_started(tmp_path: Path) -> None:
    home = Home(tmp_path)

    assert urls(home, {}, Secrets()) == {}
    assert list(urls(home, {"redis": 20000}, Secrets())) == ["redis"]


def test_urls_lead_through_sockets_and_are_quoted() -> None:
    home = Home(Path("/srv/my data é 100%"))

    postgres = urlsplit(postgres_url(home, 20000, "me", "pw"))
    redis = urlsplit(redis_url(home, 20001, "pw"))

    assert parse_qs(postgres.query) == {"host": [str(home.run)], "port": ["20000"]}
    assert (postgres.username, postgres.password, postgres.path) == ("me", "pw", "/rightstore")
    assert redis.scheme == "unix"
    assert " " not in redis.path


@pytest.mark.parametrize("name", ["x" * 100, "a,b", "it's", 'a"b'])
def test_a_path_that_no_socket_can_have_leads_to_tcp(name: str) -> None:
    home = Home(Path("/data") / name)

    assert socket_path(home, "postgres", 20000) is None
    assert postgres_url(home, 20000, "me", "pw") == "postgresql://me:pw@127.0.0.1:20000/rightstore"
    assert redis_url(home, 20001, "pw") == "redis://:pw@127.0.0.1:20001/0"
