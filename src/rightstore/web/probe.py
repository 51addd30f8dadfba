"""What machines ask a server: /live, /ready and /metrics. No application may have these paths."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Receive, Scope, Send

from rightstore.runtime.health import Health, StoreHealth
from rightstore.telemetry.alarm import GAUGE, Alarms
from rightstore.web.failure import Failure, RefusedError

JSON = b"application/json"
ForeignAlarms = Callable[[], Sequence[Mapping[str, str]]]


class Probes:
    """The three answers. `foreign_alarms` are those of the process that supervises this one."""

    def __init__(self, health: Health, alarms: Alarms, foreign_alarms: ForeignAlarms) -> None:
        self._health = health
        self._alarms = alarms
        self._foreign_alarms = foreign_alarms
        self._mirrored: set[tuple[str, str]] = set()

    def by_path(self) -> dict[str, ASGIApp]:
        """Return which path answers what."""
        return {"/live": self.live, "/ready": self.ready, "/metrics": self.metrics}

    async def live(self, scope: Scope, _: Receive, send: Send) -> None:
        """Say that the process runs: the stores have no say in this."""
        await _reply(scope, send, b'{"status":"ok"}')

    async def ready(self, scope: Scope, _: Receive, send: Send) -> None:
        """Say how each store is, and what alarms."""
        _only_reading(scope)
        report = await self._health.check()
        ours = [sounding.as_record() for sounding in self._alarms.sounding()]
        alarms = [*ours, *self._foreign_alarms()]
        answer = {
            "status": "degraded" if alarms and report.status == "ok" else report.status,
            "stores": {name: _store(health) for name, health in report.stores.items()},
            "elsewhere": [
                {"application": application, **asdict(placement)}
                for application, placement in report.elsewhere()
            ],
            "alarms": alarms,
        }
        down = report.status == "down"
        status = HTTPStatus.SERVICE_UNAVAILABLE if down else HTTPStatus.OK
        await _reply(scope, send, msgspec.json.encode(answer), status=status)

    async def metrics(self, scope: Scope, _: Receive, send: Send) -> None:
        """Give the metrics of this process, in the format that is asked for."""
        _only_reading(scope)
        self._mirror()
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        try:
            encode, kind = choose_encoder(accepted.decode("latin-1"))
        except (TypeError, ValueError):
            # The library trips over a version that is no number.
            encode, kind = choose_encoder("")
        await _reply(scope, send, encode(REGISTRY), kind=kind.encode())

    def _mirror(self) -> None:
        """Show the supervisor's alarms too: it has no metrics of its own that could be asked."""
        sounding = {(each["alarm"], each["subject"]) for each in self._foreign_alarms()}
        for key in sounding | self._mirrored:
            GAUGE.labels(*key).set(key in sounding)
        self._mirrored = sounding


def _store(health: StoreHealth) -> dict[str, object]:
    answer: dict[str, object] = {
        "status": health.status,
        "latency_ms": None if health.latency is None else round(health.latency * 1000, 3),
        "version": health.version,
    }
    return answer if health.error is None else answer | {"error": health.error}


def _only_reading(scope: Scope) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        allow = ((b"allow", b"GET, HEAD"),)
        raise RefusedError(
            Failure(405, "method_not_allowed", "Only GET and HEAD are allowed here.", headers=allow)
        )


async def _reply(
    scope: Scope, send: Send, body: bytes, *, status: int = HTTPStatus.OK, kind: bytes = JSON
) -> None:
    _only_reading(scope)
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    content = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": content})
