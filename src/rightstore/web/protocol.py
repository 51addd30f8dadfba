"""uvicorn's HTTP/1.1 protocol, with what it lacks: bounds on heads, trailers and slow readers.

A head that grows without end, or comes a byte a minute, would hold memory and a connection; so
would an answer that nobody reads.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10.0
LEAVE_SECONDS = 5.0
# In the scope of a request: call it when the connection has to end, whether or not it is read.
LEAVE = "rightstore.leave"
TOO_SLOW = 408
TOO_LARGE = 431
REFUSALS = {
    TOO_SLOW: b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    TOO_LARGE: b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n",
}


class LeavingTransport:
    """Tells the protocol when it is to close: that waits for the reader, maybe for ever."""

    def __init__(self, transport: asyncio.Transport, leave: Callable[[], None]) -> None:
        self._close = transport.close
        self._leave = leave
        # All that uvicorn's HTTP protocol uses; bound once, as each answer goes through here.
        self.write = transport.write
        self.abort = transport.abort
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info

    def close(self) -> None:
        """Close it when all is sent, or the time for that is over."""
        self._leave()
        self._close()


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request head is too large or too slow, or that nobody reads."""

    head_bytes = HEAD_BYTES
    head_seconds = HEAD_SECONDS
    leave_seconds = LEAVE_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Wait for the first head, not for ever."""
        super().connection_made(cast("asyncio.Transport", LeavingTransport(transport, self.leave)))
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Parse it, and see whether a head is still not at its end."""
        self._head_size += len(data)
        super().data_received(data)
        if self._head_size > self.head_bytes:
            self._overflow()
        elif self._timer is None and (self._in_head or not self._answering):
            # Half a head, or the rest of a body that nobody waits for any more.
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_timer()
        super().connection_lost(exc)
        self._stay()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[LEAVE] = self.leave

    def on_header(self, name: bytes, value: bytes) -> None:
        """Drop the trailers: uvicorn would add them to the headers, without a limit."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here: the edge has the request from now on."""
        self._in_head = False
        self._head_size = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count from here again: what is neither body nor head is trailer."""
        self._head_size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count from here again."""
        self._head_size = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer was whole in time after all: stay, unless the connection closes anyway."""
        if not self.transport.is_closing():
            self._stay()
        super().on_response_complete()

    def leave(self) -> None:
        """Give the client a last moment to read what is on its way, then end the connection."""
        if self._leaving is None and self in self.connections:
            self._leaving = self.loop.call_later(self.leave_seconds, self.transport.abort)

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

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _overflow(self) -> None:
        if self._in_head:
            self._refuse(TOO_LARGE)
        else:
            self.transport.abort()

    def _refuse(self, status: int) -> None:
        """Say why and close; an answer that is on its way to the same client may arrive first."""
        if self._answering and status == TOO_SLOW:
            self.cycle.keep_alive = False
            return
        if self._in_head and not self._answering:
            self.transport.write(REFUSALS[status])
        self.transport.close()
