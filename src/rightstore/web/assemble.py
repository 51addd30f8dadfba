"""The whole web program: applications and probes behind the edge. It listens nowhere itself."""

from collections.abc import Sequence

from starlette.types import ASGIApp

from rightstore.runtime.health import Health
from rightstore.telemetry.alarm import Alarms
from rightstore.web.application import Application, Site
from rightstore.web.edge import Edge, EdgeLimits
from rightstore.web.probe import ForeignAlarms, Probes


def assemble(
    applications: Sequence[Application],
    *,
    health: Health,
    alarms: Alarms,
    foreign_alarms: ForeignAlarms = tuple,
    limits: EdgeLimits | None = None,
) -> ASGIApp:
    """Return one ASGI program; two applications at one path are a UsageError."""
    probes = Probes(health, alarms, foreign_alarms)
    return Edge(Site(applications, probes.by_path()), limits)
