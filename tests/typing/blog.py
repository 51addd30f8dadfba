"""Blog, as far as it is records, queries, transactions and schema: must type-check."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, assert_type

from sqlalchemy import update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore import (
    Condition,
    Entity,
    Field,
    FieldPath,
    Index,
    Job,
    Maybe,
    Part,
    Personal,
    Retain,
    Rightstore,
    Stores,
    Transaction,
    Versioned,
    count,
    field,
    new_id,
    now,
    track,
)
from rightstore.model.event import Event
from rightstore.model.job import JobError
from rightstore.types import Edit

DAY = timedelta(days=1)


class Base(DeclarativeBase): ...


class Post(Versioned, Base):
    __tablename__ = "posts"
    id: Mapped[str] = mapped_column(primary_key=True)
    author_id: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    status: Mapped[str] = mapped_column(default="DRAFT")
    published_at: Mapped[datetime | None]
    view_count: Mapped[int] = mapped_column(default=0)


posts = track(Post)


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


async def publish(post_id: str, tx: Transaction) -> None:
    post = await tx.of(Post).get_one(post_id)
    post.status, post.published_at = "PUBLISHED", now()


async def count_views(views: Sequence[PageView], tx: Transaction) -> None:
    seen = Counter(view.post_id for view in views)
    for post_id, number in sorted(seen.items()):
        await tx.sql.execute(
            update(Post).where(Post.id == post_id).values(view_count=Post.view_count + number)
        )


async def views_by_day(stores: Stores, post_id: str) -> list[tuple[date, DeviceType, int]]:
    recent = (PageView.post_id == post_id) & (PageView.timestamp > now() - 30 * DAY)
    found = stores.of(PageView).find(recent)
    return await found.select(PageView.timestamp.day(), PageView.device.type, count())


async def notify(note: Notification, tx: Transaction) -> None:
    await tx.of(Notification).put(note)
    await tx.of(Delivery).put(
        Delivery(
            notification_id=note.id,
            user_id=note.user_id,
            type=note.type,
            channels=["inApp", "email"],
            priority=5,
            max_attempts=4,
        )
    )


async def unread(stores: Stores, user_id: str) -> int:
    n = Notification
    return await stores.of(n).find(n.user_id == user_id, ~n.channels.in_app.read).count()


async def mark_read(stores: Stores, id: str) -> None:
    read = Notification.channels.in_app
    await stores.of(Notification).change(id, read.read.set(True), read.read_at.set(now()))


async def report(stores: Stores, error: Exception) -> None:
    name, message = type(error).__name__, str(error)
    group = sha256(f"{name}\0{message}".encode()).hexdigest()
    await stores.of(ErrorLog).change(
        group,
        ErrorLog.occurrence_count.add(1),
        ErrorLog.last_occurrence.set(now()),
        ErrorLog.resolved.set(False),
        or_create=ErrorLog(id=group, name=name, message=message, severity="high"),
    )


async def worst(stores: Stores) -> list[ErrorLog]:
    unresolved = stores.of(ErrorLog).find(~ErrorLog.resolved)
    return await unresolved.sort(ErrorLog.occurrence_count.desc()).limit(10).all()


def viewed(view: PageView, delivery: Delivery) -> None:
    assert_type(view.geo, Geo | None)
    assert_type(view.device, Device)
    assert_type(PageView.geo.exists(), Condition)
    assert_type(PageView.geo.set(None), Edit)
    assert_type(SearchQuery.query.matches("red shoes"), Condition)
    assert_type(delivery.errors, list[JobError])
    assert_type(Delivery.status, FieldPath[Literal["pending", "processing", "completed", "failed"]])


blog = Rightstore("blog", sys.modules[__name__])
