"""Pulse, as far as it is records, queries, transactions and schema: must type-check."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rightstore import (
    Cache,
    Entity,
    Field,
    Index,
    Page,
    Personal,
    Rightstore,
    Stores,
    Transaction,
    Versioned,
    errors,
    field,
    new_id,
    now,
    track,
)
from rightstore.model.event import Event


class Base(DeclarativeBase): ...


class User(Versioned, Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Profile(Versioned, Base):
    __tablename__ = "profiles"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    display_name: Mapped[str]
    bio: Mapped[str] = mapped_column(default="")


class Follow(Versioned, Base):
    __tablename__ = "follows"
    follower_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    followed_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)


class Post(Versioned, Base):
    __tablename__ = "posts"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


names = ("email", "username")
users = track(User, personal=Personal("id", (*names, "password_hash"), lookup=names))
profiles = track(Profile, personal=Personal("user_id", ("display_name", "bio")))
follows = track(Follow, personal=Personal("follower_id", ()))
posts = track(Post, personal=Personal("user_id", ("text",), erase="pseudonymise"))


class Registration(BaseModel):
    email: str
    username: str
    password_hash: str


async def register(r: Registration, tx: Transaction) -> str:
    user = User(id=new_id(), email=r.email, username=r.username, password_hash=r.password_hash)
    tx.sql.add(user)
    await tx.sql.flush()
    tx.sql.add(Profile(user_id=user.id, display_name=r.username))
    return user.id


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


async def fan_out(post: Post, stores: Stores) -> None:
    async with stores.sql() as session:
        query = select(Follow.follower_id).where(Follow.followed_id == post.user_id)
        batches = (await session.stream_scalars(query)).partitions(1000)
        async for batch in batches:
            items = [
                FeedItem(
                    user_id=follower,
                    post_id=post.id,
                    author_id=post.user_id,
                    text=post.text,
                    created_at=post.created_at,
                )
                for follower in batch
            ]
            await stores.of(FeedItem).put_many(items, expect="any")


async def feed(stores: Stores, user_id: str, after: str | None = None) -> Page[FeedItem]:
    mine = stores.of(FeedItem).find(FeedItem.user_id == user_id)
    return await mine.sort(FeedItem.created_at.desc(), FeedItem.post_id.desc()).page(
        20, after=after
    )


async def send(stores: Stores, m: Message) -> Message:
    return await stores.of(Message).put(m)


async def notify(sent: MessageSent, tx: Transaction) -> None:
    await tx.of(Notification).put(
        Notification(
            user_id=sent.recipient_id,
            type="message",
            message="New message",
            metadata={"messageId": sent.message_id},
        )
    )


class ProfileOut(BaseModel):
    user_id: str
    username: str
    display_name: str


async def profile(stores: Stores, user_id: str) -> ProfileOut:
    query = (
        select(User.username, Profile.display_name)
        .join(Profile, Profile.user_id == User.id)
        .where(User.id == user_id)
    )
    async with stores.sql() as session:
        row = (await session.execute(query)).one_or_none()
    if row is None:
        raise errors.NotFoundError("user")
    return ProfileOut(user_id=user_id, username=row.username, display_name=row.display_name)


async def sign_up(r: Registration, stores: Stores) -> dict[str, str]:
    return {"id": await stores.run(register, r)}


pulse = Rightstore("pulse", sys.modules[__name__])
