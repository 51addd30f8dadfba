"""Pulse's and pricing's declarations, as an application writes them: must type-check."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from rightstore.clock import now
from rightstore.ids import new_id
from rightstore.model.condition import Condition, Expr
from rightstore.model.entity import Entity
from rightstore.model.event import Event
from rightstore.model.field import Field, Maybe, field
from rightstore.model.measure import count
from rightstore.model.order import Order
from rightstore.model.part import Part
from rightstore.model.upgrade import upgrade
from rightstore.model.wish import Cache, Index, Personal


class FeedItem(
    Entity,
    key=("user_id", "post_id"),
    home="mongodb",
    rename="camel",
    log=False,
    indexes=[Index("user_id", "-created_at")],
    shard=["user_id"],
    personal=Personal("user_id", ()),
):
    user_id: Field[str]
    post_id: Field[str]
    author_id: Field[str]
    text: Field[str]
    created_at: Field[datetime]


class Message(
    Entity,
    name="messages",
    key="id",
    home="mongodb",
    rename="camel",
    shard=["conversation_id"],
    indexes=[Index("conversation_id", "-created_at")],
    personal=Personal("sender_id", ("text",)),
):
    id: Field[str] = field(default_factory=new_id)
    conversation_id: Field[str]
    sender_id: Field[str]
    recipient_id: Field[str]
    text: Field[str]
    created_at: Field[datetime] = field(default_factory=now)


class Notification(
    Entity,
    name="notifications",
    key="id",
    home="mongodb",
    rename="camel",
    shard=["user_id"],
    indexes=[Index("user_id", "-created_at"), Index("user_id", "read")],
    cache=Cache(ttl=60),
    personal=Personal("user_id", ("message",)),
):
    id: Field[str] = field(default_factory=new_id)
    user_id: Field[str]
    type: Field[str]
    message: Field[str]
    read: Field[bool] = field(default=False)
    metadata: Field[dict[str, Any]] = field(default_factory=dict)
    created_at: Field[datetime] = field(default_factory=now)


class PostCreated(Event, name="post.created", key="author_id", public=True):
    post_id: str
    author_id: str
    text: str
    created_at: datetime


class MessageSent(Event, name="message.sent", key="conversation_id", public=True):
    conversation_id: str
    message_id: str
    recipient_id: str


class PricingData(Part):
    material: Field[str]
    quantity: Field[int]
    total_price: Field[Decimal]


class Performance(Part):
    calculation_time_ms: Field[int] = field(default=0)
    cache_hit_rate: Field[float] = field(default=0.0)


class PricingAnalytics(
    Entity,
    name="pricing_analytics",
    key="calculation_id",
    home="mongodb",
    schema=2,
    indexes=[
        Index("customer_id", "-timestamp"),
        Index("pricing_data.material"),
        Index("-timestamp"),
    ],
):
    calculation_id: Field[str]
    customer_id: Field[str]
    pricing_data: Field[PricingData]
    performance_metrics: Field[Performance] = field(default_factory=Performance)
    correlation: Field[UUID | None] = field(default=None)
    previous: Maybe[PricingData] = field(default=None)
    source: Field[Literal["web", "api"]] = field(default="web")
    timestamp: Field[datetime] = field(default_factory=now)


@upgrade(PricingAnalytics, to=2)
def add_metrics(old: dict[str, Any]) -> dict[str, Any]:
    return {"performance_metrics": {"calculation_time_ms": 0, "cache_hit_rate": 0.0}, **old}


class Document(Entity, name="documents", key="key", home="mongodb", cache=Cache(ttl=300, near=2)):
    key: Field[str]
    data: Field[dict[str, Any]]


def feed(user_id: str) -> tuple[Condition, list[Order]]:
    return FeedItem.user_id == user_id, [FeedItem.created_at.desc(), FeedItem.post_id.desc()]


def send(m: Message) -> MessageSent:
    return MessageSent(
        conversation_id=m.conversation_id, message_id=m.id, recipient_id=m.recipient_id
    )


def trends(
    material: str, days: int = 30
) -> tuple[list[Condition], tuple[Expr[date], Expr[Decimal], Expr[int]]]:
    a = PricingAnalytics
    return [
        a.pricing_data.material == material,
        a.timestamp >= now() - timedelta(days=days),
        a.previous.total_price > 3,
    ], (a.timestamp.day(), a.pricing_data.total_price.avg(), count())
