"""uvicorn's HTTP/1.1 protocol, with what it lacks: a bound on the head of a request.

A head that grows without end, or comes a byte a minute, would hold memory and a connection.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10.0
TOO_SLOW = 408
TOO_LARGE = 431
REFUSALS = {
    TOO_SLOW: b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    TOO_LARGE: b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n",
}


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request head is too large or too slow."""

    head_bytes = HEAD_BYTES
    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_size = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Wait for the first head, not for ever."""
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Parse it, and see whether a head is still not at its end."""
        if self._in_head:
            self._head_size += len(data)
        super().data_received(data)
        if self._in_head and self._head_size > self.head_bytes:
            self._refuse(TOO_LARGE)
        elif self._timer is None and (self._in_head or not self._answering):
            # Half a head, or the rest of a body that nobody waits for any more.
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is here: the edge has the request from now on."""
        self._in_head = False
        self._head_size = 0
        self._stop_timer()
        super().on_headers_complete()

    @property
    def _answering(self) -> bool:
        # uvicorn declares it as always there; before the first request it is None.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._refuse, TOO_SLOW)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int) -> None:
        """Say why and close; an answer that is on its way to the same client may arrive first."""
        if self._answering and status == TOO_SLOW:
            self.cycle.keep_alive = False
            return
        if self._in_head and not self._answering:
            self.transport.write(REFUSALS[status])
        self.transport.close()
