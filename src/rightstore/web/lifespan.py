"""The start and the stop of one ASGI program, by the lifespan protocol. It serves no requests."""

import asyncio
from typing import Any, NoReturn

import structlog
from starlette.types import ASGIApp, Message, Scope

from rightstore.errors import RightstoreError
from rightstore.telemetry.log import mask

logger = structlog.get_logger(__name__)


class Lifespan:
    """Tells one program to start and to stop, and waits for it; it need not know of lifespans."""

    def __init__(self, program: ASGIApp, name: str | None = None) -> None:
        self._program = program
        self._name = name
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[Message] | None = None
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def start(self) -> None:
        """Return when it has started; raise its own RightstoreError, or one that names it."""
        scope: Scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        self._task = asyncio.create_task(self._run(scope))
        answer = await self._tell("lifespan.startup")
        if answer["type"] == "lifespan.startup.failed":
            await asyncio.wait([self._task])
            self._fail(answer)

    async def stop(self) -> None:
        """Return when it has stopped; what goes wrong there is logged, as nothing can be done."""
        if self._task is None or self._task.done():
            return
        answer = await self._tell("lifespan.shutdown")
        await asyncio.wait([self._task])
        if answer["type"] == "lifespan.shutdown.failed" or self._cause() is not None:
            logger.error("stop failed", application=self._name, exc_info=self._cause())

    async def abort(self) -> None:
        """End it where it is, for one that does not stop in time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, scope: Scope) -> None:
        await self._program(scope, self._events.get, self._hear)

    async def _hear(self, message: Message) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(message)

    async def _tell(self, event: str) -> Message:
        """Return the answer to an event, an empty one when the program has none to give."""
        assert self._task is not None  # noqa: S101 - both callers have seen it
        self._answer = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": event})
        either: list[asyncio.Future[Any]] = [self._task, self._answer]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._answer.done():
            return self._answer.result()
        if isinstance(self._cause(), RightstoreError):
            return {"type": f"{event}.failed"}
        # By the protocol, another exception before an answer says that lifespan is unknown there.
        logger.debug("no lifespan", application=self._name, exc_info=self._cause())
        return {"type": ""}

    def _cause(self) -> BaseException | None:
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()

    def _fail(self, answer: Message) -> NoReturn:
        cause = self._cause()
        told = (answer.get("message") or "no reason given").strip().splitlines()[-1]
        text = str(cause) if isinstance(cause, RightstoreError) else mask(told)
        message = f"application {self._name} did not start: {text}" if self._name else text
        if isinstance(cause, RightstoreError):
            cause.args = (message,)
            raise cause
        raise RightstoreError(message) from cause
