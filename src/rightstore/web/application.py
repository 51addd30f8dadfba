"""Which application answers which path. It knows nothing of limits, logs or errors (see `edge`)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.errors import RightstoreError, UsageError
from rightstore.web.failure import Failure, RefusedError
from rightstore.web.lifespan import Lifespan

ROUTE = "rightstore.route"
PREFIX = "rightstore.prefix"
NOWHERE = "none"
_mount = re.compile(r"/|(/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, slots=True)
class Application:
    """A program and the path below which it answers; "/" owns every path that is left."""

    name: str
    asgi: ASGIApp
    mount: str = "/"

    @classmethod
    def found(cls, name: str, program: object) -> Self:
        """Return what a name stood for: an Application, or an ASGI program for the root."""
        if isinstance(program, cls):
            return program
        if not callable(program):
            raise UsageError(
                f"application {name!r} is not an ASGI program but {type(program).__name__}: name "
                "the FastAPI object, or an Application around it"
            )
        return cls(name, cast("ASGIApp", program))

    @property
    def prefix(self) -> str:
        """Return what its paths begin with."""
        return "" if self.mount == "/" else self.mount


class Site:
    """The probes and the applications under one address: an ASGI program."""

    def __init__(self, applications: Sequence[Application], probes: Mapping[str, ASGIApp]) -> None:
        _check(applications, probes)
        self._probes = probes
        longest_first = sorted(applications, key=lambda each: len(each.mount), reverse=True)
        self._mounted = [each for each in longest_first if each.prefix]
        self._root = next((each for each in applications if not each.prefix), None)
        self._lifespans = {each.name: Lifespan(each.asgi, each.name) for each in applications}
        self._nowhere = Failure(404, "not_found", _signpost(applications, probes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to whom it belongs."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        probe = self._probes.get(path)
        if probe is not None:
            scope[ROUTE] = path
            await probe(scope, receive, send)
            return
        application = self._owner(path)
        if application is None:
            scope[ROUTE] = NOWHERE
            raise RefusedError(self._nowhere)
        self._place(scope, application)
        await application.asgi(scope, receive, send)

    def _owner(self, path: str) -> Application | None:
        for application in self._mounted:
            prefix = application.mount
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return application
        return self._root

    def _place(self, scope: Scope, application: Application) -> None:
        """Tell the application where it is. The path stays whole, as ASGI wants it."""
        scope[ROUTE] = application.name
        if application.prefix:
            scope[PREFIX] = application.prefix
            scope["root_path"] = scope.get("root_path", "") + application.prefix
        state = self._lifespans[application.name].state
        if state:
            scope["state"] = scope.get("state", {}) | state

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start the applications in their order, and stop them in the opposite one."""
        await receive()
        started: list[Lifespan] = []
        try:
            for lifespan in self._lifespans.values():
                await lifespan.start()
                started.append(lifespan)
        except RightstoreError as error:
            await _stop(started)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _stop(started)
        await send({"type": "lifespan.shutdown.complete"})


def route_of(scope: Scope) -> str:
    """Return a name for what answered: the template of the route, never a path."""
    label: str = scope.get(ROUTE, NOWHERE)
    route = scope.get("route")
    if route is None:
        return label
    # FastAPI keeps the template with the prefixes of included routers beside the route.
    whole = scope.get("fastapi", {}).get("effective_route_context")
    template = getattr(whole, "path_format", None) or getattr(route, "path", None)
    return f"{scope.get(PREFIX, '')}{template}" if isinstance(template, str) else label


async def _stop(lifespans: Sequence[Lifespan]) -> None:
    for lifespan in reversed(lifespans):
        await lifespan.stop()


def _check(applications: Sequence[Application], probes: Mapping[str, ASGIApp]) -> None:
    mounts: dict[str, str] = {}
    names: set[str] = set()
    for each in applications:
        if not _mount.fullmatch(each.mount):
            raise UsageError(
                f"application {each.name} cannot be mounted at {each.mount!r}: use / or a path "
                "such as /shop, without a slash at its end"
            )
        if each.mount in probes:
            raise UsageError(
                f"application {each.name} cannot be mounted at {each.mount}, which says how the "
                "server is: choose another path"
            )
        if each.mount in mounts:
            raise UsageError(
                f"applications {mounts[each.mount]} and {each.name} are both mounted at "
                f"{each.mount}: give one of them another path"
            )
        if each.name in names:
            raise UsageError(f"two applications are named {each.name}: serve it once")
        mounts[each.mount] = each.name
        names.add(each.name)


def _signpost(applications: Sequence[Application], probes: Mapping[str, ASGIApp]) -> str:
    mounted = [f"{each.mount} ({each.name})" for each in applications]
    return f"Nothing answers at this path; these do: {', '.join([*mounted, *probes])}."
