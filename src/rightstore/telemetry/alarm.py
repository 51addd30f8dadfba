"""The one way to sound an alarm: a metric, a log line, a list that status and readiness read.

An alarm is a state (it sounds, it clears), not an event; sounding it again is silent.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog
from prometheus_client import Gauge

from rightstore.clock import SYSTEM, Clock

logger = structlog.get_logger(__name__)
GAUGE = Gauge("rightstore_alarm", "1 while an alarm sounds.", ["alarm", "subject"])


@dataclass(frozen=True, slots=True)
class Alarm:
    """What can sound: its name, what it means, and what to do."""

    name: str
    meaning: str
    remedy: str


STORE_UNAVAILABLE = Alarm(
    "store-unavailable",
    "A store does not answer, or refuses us.",
    "Look at `rightstore doctor`; start the server, or correct its URL.",
)
SERVER_DOWN = Alarm(
    "server-down",
    "A supervised process died and is being started again, with growing pauses.",
    "Read its log (`rightstore status` names it); the usual causes are disk, memory and ports.",
)
DISK_LOW = Alarm(
    "disk-low",
    "The disk below the home folder has less than 512 MiB left.",
    "Free space, or move the home folder (RIGHTSTORE_HOME): full, the servers refuse all writes.",
)
ALL = (STORE_UNAVAILABLE, SERVER_DOWN, DISK_LOW)


@dataclass(frozen=True, slots=True)
class Sounding:
    """An alarm that sounds now, for one subject (a store, a process)."""

    alarm: str
    subject: str
    detail: str
    since: datetime
    remedy: str

    def as_record(self) -> dict[str, str]:
        """Return it as plain strings, for JSON."""
        return asdict(self) | {"since": self.since.isoformat()}


class Alarms:
    """The alarms of one process. `changed` is called after every change of the list."""

    def __init__(self, clock: Clock = SYSTEM, changed: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._changed = changed
        self._sounding: dict[tuple[str, str], Sounding] = {}

    def sound(self, alarm: Alarm, subject: str, detail: str) -> None:
        """Let the alarm sound for this subject, unless it does already."""
        key = (alarm.name, subject)
        if key in self._sounding:
            return
        self._sounding[key] = Sounding(alarm.name, subject, detail, self._clock.now(), alarm.remedy)
        GAUGE.labels(*key).set(1)
        logger.error("alarm", alarm=alarm.name, subject=subject, detail=detail, remedy=alarm.remedy)
        self._tell()

    def clear(self, alarm: Alarm, subject: str) -> None:
        """Let it stop, if it sounds."""
        if self._sounding.pop((alarm.name, subject), None) is None:
            return
        GAUGE.labels(alarm.name, subject).set(0)
        logger.info("alarm cleared", alarm=alarm.name, subject=subject)
        self._tell()

    def sounding(self) -> tuple[Sounding, ...]:
        """Return what sounds now, the oldest first."""
        return tuple(self._sounding.values())

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed()
