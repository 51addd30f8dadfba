"""Job: an entity that is work to do. Who works it and when is not known here."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rightstore.clock import now
from rightstore.ids import new_id
from rightstore.model.entity import Entity
from rightstore.model.field import Field, field
from rightstore.model.part import Part
from rightstore.model.wish import Index


class JobError(Part):
    """Why an attempt failed, and when."""

    message: Field[str]
    timestamp: Field[datetime]


class Job(Entity, key="id", log=False):
    """A record that is work to do. A queue is an entity; enqueueing is putting.

    A kind of job has `log=False` unless it says otherwise, and the indexes that workers need
    besides its own.
    """

    id: Field[str] = field(default_factory=new_id)
    status: Field[Literal["pending", "processing", "completed", "failed"]] = field(
        default="pending"
    )
    priority: Field[int] = field(default=0)
    attempts: Field[int] = field(default=0)
    max_attempts: Field[int] = field(default=5)
    last_attempt_at: Field[datetime | None] = field(default=None)
    next_retry_at: Field[datetime | None] = field(default=None)
    errors: Field[list[JobError]] = field(default_factory=list)
    created_at: Field[datetime] = field(default_factory=now)
    processed_at: Field[datetime | None] = field(default=None)
    completed_at: Field[datetime | None] = field(default=None)

    if not TYPE_CHECKING:
        __job__ = True
        __defaults__ = {**Entity.__defaults__, "log": False}
        __more_indexes__ = (Index("status", "-priority", "created_at"), Index("next_retry_at"))
