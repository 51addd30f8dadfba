"""How many statements or commands are in what a client sends, by the protocol. It reads no TLS."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

# An Execute of a prepared statement, and a simple Query.
STATEMENTS = frozenset(b"EQ")


class Frames(ABC):
    """The messages of one connection, which come in pieces."""

    def __init__(self) -> None:
        self._left = b""

    def statements(self, data: bytes) -> int:
        """Return how many statements end in the next piece."""
        self._left += data
        found = 0
        while (size := self._size(self._left)) and len(self._left) >= size:
            found += self._is_statement(self._left)
            self._left = self._left[size:]
        return found

    @abstractmethod
    def _size(self, data: bytes) -> int:
        """Return how long the message is that begins here; 0 when too little is known."""

    @abstractmethod
    def _is_statement(self, data: bytes) -> bool:
        """Tell whether it asks the server to do something."""


class PostgresFrames(Frames):
    """A letter, a length that includes itself, the rest; the first messages have no letter."""

    _has_begun = False

    def _size(self, data: bytes) -> int:
        if not self._has_begun:
            return int.from_bytes(data[:4])
        return 1 + int.from_bytes(data[1:5]) if len(data) >= 5 else 0

    def _is_statement(self, data: bytes) -> bool:
        if self._has_begun:
            return data[0] in STATEMENTS
        # Version 3.x begins; everything else asks for encryption first.
        self._has_begun = int.from_bytes(data[4:6]) == 3
        return False


class MongodbFrames(Frames):
    """A length that includes itself, the rest; every message of a client is a command."""

    def _size(self, data: bytes) -> int:
        return int.from_bytes(data[:4], "little")

    def _is_statement(self, data: bytes) -> bool:
        return True


class HttpFrames(Frames):
    """A head that says how long the rest is; every request is a command."""

    def _size(self, data: bytes) -> int:
        head, end, _ = data.partition(b"\r\n\r\n")
        if not end:
            return 0
        lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
        fields = {name: value for name, _, value in lines}
        return len(head) + 4 + int(fields.get(b"content-length", b"0"))

    def _is_statement(self, data: bytes) -> bool:
        return True


FRAMES: Mapping[str, type[Frames]] = {
    "postgres": PostgresFrames,
    "mongodb": MongodbFrames,
    "dynamodb": HttpFrames,
}
