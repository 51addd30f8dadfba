"""The blog's declarations and questions, as an application writes them: must type-check."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal, assert_type

from rightstore.clock import now
from rightstore.ids import new_id
from rightstore.model.condition import Condition, Expr
from rightstore.model.edit import Edit
from rightstore.model.entity import Entity
from rightstore.model.event import Event
from rightstore.model.field import Field, Maybe, field
from rightstore.model.job import Job, JobError
from rightstore.model.measure import count
from rightstore.model.order import Order
from rightstore.model.part import Part
from rightstore.model.path import FieldPath
from rightstore.model.wish import Index, Personal, Retain

DAY = timedelta(days=1)


class PostPublished(Event, name="post.published", key="post_id"):
    post_id: str
    slug: str
    author_id: str
    title: str


class AnalyticsEvent(
    Entity,
    name="analyticsEvents",
    key="id",
    home="mongodb",
    rename="camel",
    log=False,
    indexes=[Index("event_type", "-timestamp"), Index("entity_id", "-timestamp")],
    retain=Retain("timestamp", 180 * DAY),
):
    id: Field[str] = field(default_factory=new_id)
    event_type: Field[str]
    category: Field[str]
    entity_id: Field[str]
    entity_type: Field[str]
    user_id: Field[str | None] = field(default=None)
    properties: Field[dict[str, Any]] = field(default_factory=dict)
    timestamp: Field[datetime] = field(default_factory=now)


DeviceType = Literal["mobile", "tablet", "desktop"]


class Device(Part):
    type: Field[DeviceType]
    os: Field[str]
    browser: Field[str]


class Geo(Part):
    country: Field[str]
    city: Field[str]


class PageView(
    Entity,
    name="pageViews",
    key="id",
    home="mongodb",
    rename="camel",
    indexes=[
        Index("post_id", "-timestamp"),
        Index("user_id", "-timestamp"),
        Index("device.type"),
    ],
    retain=Retain("timestamp", 90 * DAY),
    shard=["post_id", "timestamp"],
    personal=Personal("user_id", ("user_agent", "ip_address", "geo")),
):
    id: Field[str] = field(default_factory=new_id)
    post_id: Field[str]
    user_id: Field[str | None] = field(default=None)
    ip_address: Field[str] = field(default="")
    user_agent: Field[str] = field(default="")
    device: Field[Device]
    geo: Maybe[Geo] = field(default=None)
    time_spent: Field[int] = field(default=0)
    timestamp: Field[datetime] = field(default_factory=now)


class SearchQuery(
    Entity,
    name="searchQueries",
    home="mongodb",
    rename="camel",
    log=False,
    indexes=[Index("query", text=True)],
):
    id: Field[str] = field(default_factory=new_id)
    query: Field[str]


class InApp(Part):
    enabled: Field[bool] = field(default=True)
    read: Field[bool] = field(default=False)
    read_at: Field[datetime | None] = field(default=None)


class Channels(Part):
    in_app: Field[InApp] = field(default_factory=InApp)


class Notification(
    Entity,
    name="notifications",
    key="id",
    home="mongodb",
    group="notices",
    rename="camel",
    indexes=[Index("user_id", "-created_at"), Index("user_id", "channels.in_app.read")],
    retain=Retain("expires_at"),
    personal=Personal("user_id", ("message", "actor_name")),
):
    id: Field[str] = field(default_factory=new_id)
    user_id: Field[str]
    type: Field[str]
    message: Field[str]
    actor_name: Field[str | None] = field(default=None)
    channels: Field[Channels] = field(default_factory=Channels)
    created_at: Field[datetime] = field(default_factory=now)
    expires_at: Field[datetime | None] = field(default=None)


class Delivery(
    Job,
    name="notificationQueue",
    home="mongodb",
    group="notices",
    rename="camel",
    indexes=[Index("user_id", "status")],
    retain=Retain("completed_at", 7 * DAY, where={"status": "completed"}),
):
    notification_id: Field[str]
    user_id: Field[str]
    type: Field[str]
    channels: Field[list[Literal["inApp", "email", "push"]]]


class ErrorLog(
    Entity,
    name="errorLogs",
    key="id",
    home="mongodb",
    rename="camel",
    log=False,
    indexes=[Index("severity", "resolved", "-timestamp")],
    retain=Retain("resolved_at", 90 * DAY, where={"resolved": True}),
):
    id: Field[str]
    name: Field[str]
    message: Field[str]
    severity: Field[Literal["low", "medium", "high", "critical"]]
    resolved: Field[bool] = field(default=False)
    resolved_at: Field[datetime | None] = field(default=None)
    occurrence_count: Field[int] = field(default=1)
    first_occurrence: Field[datetime] = field(default_factory=now)
    last_occurrence: Field[datetime] = field(default_factory=now)
    timestamp: Field[datetime] = field(default_factory=now)


def views_by_day(post_id: str) -> tuple[Condition, tuple[Expr[date], Expr[DeviceType], Expr[int]]]:
    recent = (PageView.post_id == post_id) & (PageView.timestamp > now() - 30 * DAY)
    return recent, (PageView.timestamp.day(), PageView.device.type, count())


def unread(user_id: str) -> list[Condition]:
    n = Notification
    return [n.user_id == user_id, ~n.channels.in_app.read]


def mark_read() -> list[Edit]:
    read = Notification.channels.in_app
    return [read.read.set(True), read.read_at.set(now())]


def report(group: str, name: str) -> tuple[list[Edit], ErrorLog]:
    return [
        ErrorLog.occurrence_count.add(1),
        ErrorLog.last_occurrence.set(now()),
        ErrorLog.resolved.set(False),
    ], ErrorLog(id=group, name=name, message=name, severity="high")


def worst() -> tuple[Condition, Order]:
    return ~ErrorLog.resolved, ErrorLog.occurrence_count.desc()


def enqueue(note: Notification) -> Delivery:
    made = Delivery(
        notification_id=note.id,
        user_id=note.user_id,
        type=note.type,
        channels=["inApp", "email"],
        priority=5,
        max_attempts=4,
    )
    assert_type(made.errors, list[JobError])
    assert_type(Delivery.status, FieldPath[Literal["pending", "processing", "completed", "failed"]])
    return made


def viewed(view: PageView) -> None:
    assert_type(view.geo, Geo | None)
    assert_type(view.device, Device)
    assert_type(PageView.geo.exists(), Condition)
    assert_type(PageView.geo.set(None), Edit)
    assert_type(SearchQuery.query.matches("red shoes"), Condition)
