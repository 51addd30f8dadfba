"""One direction of a proxied connection, and the faults of that direction. It opens no socket."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal

from rightstore.clock import Clock
from rightstore.errors import UsageError

CHUNK = 64 * 1024
SLICE_PAUSE = 0.001

# How a direction ends: its sender closed, its sender broke off, or the wire was cut here.
End = Literal["closed", "reset", "cut"]


class Flow:
    """A direction of all connections of a proxy: what is done to its bytes from now on.

    `latency` delays each byte by so many seconds. `black_hole` swallows everything, the end of the
    stream too; a connection that has lost bytes stays dead in this direction for ever, as TCP
    would never deliver what follows a gap. `slice` sends at most so many bytes at once.
    """

    def __init__(self) -> None:
        self.forwarded: int = 0
        self.dropped: int = 0
        self._gate = asyncio.Event()
        self.heal()

    def heal(self) -> None:
        """Take all faults away; the counts stay."""
        self.latency: float = 0.0
        self.black_hole: bool = False
        self.slice: int = 0
        self._left: int | None = None
        self.resume()

    def pause(self) -> None:
        """Hold every byte back, losing none, until `resume`."""
        self._gate.clear()

    def resume(self) -> None:
        """Let what was held back go on."""
        self._gate.set()

    def cut_after(self, count: int) -> None:
        """Close both ends once so many more bytes went through, all connections together.

        Further connections are closed at their first byte, until `heal`.
        """
        if count < 0:
            raise UsageError("A wire is cut after 0 or more bytes.")
        self._left = count

    async def opened(self) -> None:
        """Return when the direction is not paused."""
        await self._gate.wait()

    def admit(self, data: bytes) -> tuple[bytes, bool]:
        """Return what may still go through, and whether the wire is cut behind it."""
        if self._left is None:
            return data, False
        data = data[: self._left]
        self._left -= len(data)
        return data, self._left == 0


class Link:
    """Carries the bytes of one connection in one direction; `deaf` once it has lost some.

    `watch` sees all that is forwarded just before it is.
    """

    def __init__(
        self,
        flow: Flow,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        clock: Clock,
        watch: Callable[[bytes], None],
    ) -> None:
        self.deaf: bool = False
        self._flow = flow
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._watch = watch
        self._held: asyncio.Queue[tuple[float, bytes | End]] = asyncio.Queue(64)

    async def run(self) -> End:
        """Carry until this direction is over."""
        taking = asyncio.create_task(self._take())
        try:
            return await self._give()
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _take(self) -> None:
        end: End = "closed"
        try:
            while data := await self._reader.read(CHUNK):
                await self._hold(data)
        except OSError:
            end = "reset"
        await self._hold(end)

    async def _hold(self, item: bytes | End) -> None:
        await self._held.put((self._clock.monotonic() + self._flow.latency, item))

    async def _give(self) -> End:
        while True:
            due, item = await self._held.get()
            wait = due - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            await self._flow.opened()
            self.deaf = self.deaf or self._flow.black_hole
            if self.deaf:
                self._flow.dropped += len(item) if isinstance(item, bytes) else 0
            elif isinstance(item, bytes):
                end = await self._forward(item)
                if end is not None:
                    return end
            else:
                return self._finish(item)

    async def _forward(self, data: bytes) -> End | None:
        admitted, is_cut = self._flow.admit(data)
        self._watch(admitted)
        try:
            for piece in self._pieces(admitted):
                self._flow.forwarded += len(piece)
                self._writer.write(piece)
                await self._writer.drain()
                if self._flow.slice:
                    await self._clock.sleep(SLICE_PAUSE)
        except OSError:
            # The receiver is gone. Whether the sender may learn of it is up to the other direction,
            # which reads from that receiver.
            return "closed"
        return "cut" if is_cut else None

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        size = self._flow.slice or CHUNK
        for start in range(0, len(data), size):
            yield data[start : start + size]

    def _finish(self, end: End) -> End:
        if end == "closed":
            with suppress(OSError):
                self._writer.write_eof()
        return end
