"""Statements are counted, however the bytes that carry them are cut."""

import pytest
from benchmarks.frame import Frames, HttpFrames, MongodbFrames, PostgresFrames


def message(letter: bytes, content: bytes) -> bytes:
    return letter + (len(content) + 4).to_bytes(4) + content


# No TLS, please; then version 3.0, a password, and a statement that was prepared before.
POSTGRES = (
    (8).to_bytes(4)
    + (80877103).to_bytes(4)
    + (9).to_bytes(4)
    + (196608).to_bytes(4)
    + b"\0"
    + message(b"p", b"secret\0")
    + message(b"B", b"E" * 50)
    + message(b"E", b"\0\0\0\0\0")
    + message(b"S", b"")
    + message(b"Q", b"RESET ALL\0")
)
MONGODB = 2 * ((20).to_bytes(4, "little") + b"x" * 16)
HTTP = 2 * b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n"


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("frames", "data"),
    [(PostgresFrames, POSTGRES), (MongodbFrames, MONGODB), (HttpFrames, HTTP)],
)
def test_both_statements_are_counted(frames: type[Frames], data: bytes, size: int) -> None:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    counting = frames()

    found = sum(counting.statements(piece) for piece in pieces)

    assert found == 2
