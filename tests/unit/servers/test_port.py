"""Ports of our own."""

import socket

from tests.servers.port import HIGHEST, LOWEST, free_ports


def test_the_ports_differ_and_are_below_those_of_outgoing_connections() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    assert all(LOWEST <= port < HIGHEST for port in ports)


def test_a_taken_port_is_not_given() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_ports(1)[0]))

        assert taken.getsockname()[1] not in free_ports(200)
