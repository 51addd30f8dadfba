import asyncio

import pytest

from rightstore.errors import UnavailableError
from rightstore.ports.connection import Pong
from rightstore.ports.placement import Placement
from rightstore.runtime.health import LOCATED, Health, StoreHealth
from rightstore.telemetry.alarm import DISK_LOW, STORE_UNAVAILABLE, Alarms
from rightstore.testing.clock import VirtualClock
from rightstore.testing.wait import until


class Lamp:
    """The port with nothing behind it: it answers when it is let, as it is told."""

    def __init__(self, store: str, latency: float = 0.002) -> None:
        self.store = store
        self.latency = latency
        self.error: Exception | None = None
        self.pings = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def open(self) -> None:
        pass

    async def ping(self) -> Pong:
        self.pings += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Pong("18.1", self.latency)

    async def close(self) -> None:
        pass


def gone(store: str) -> UnavailableError:
    return UnavailableError(
        f"{store}://me:hunter2@host refuses connections: start it", store=store, operation="ping"
    )


def health_of(
    *lamps: Lamp, clock: VirtualClock | None = None, patience: float = 5.0
) -> tuple[Health, Alarms]:
    alarms = Alarms()
    clock = clock or VirtualClock()
    return Health(lamps, alarms=alarms, clock=clock, patience=patience), alarms


async def test_all_well_is_ok() -> None:
    health, _ = health_of(Lamp("postgres"), Lamp("redis"))

    report = await health.check()

    assert report.status == "ok"
    assert report.stores == {
        "postgres": StoreHealth("ok", 0.002, "18.1"),
        "redis": StoreHealth("ok", 0.002, "18.1"),
    }


async def test_a_required_store_that_is_down_takes_everything_down() -> None:
    postgres = Lamp("postgres")
    postgres.error = gone("postgres")
    health, alarms = health_of(postgres, Lamp("redis"))

    report = await health.check()

    assert report.status == "down"
    assert report.stores["postgres"].status == "down"
    assert [sounding.subject for sounding in alarms.sounding()] == ["postgres"]


async def test_another_store_that_is_down_only_degrades() -> None:
    redis = Lamp("redis")
    redis.error = gone("redis")
    health, _ = health_of(Lamp("postgres"), redis)

    report = await health.check()

    assert report.status == "degraded"


async def test_a_slow_store_degrades() -> None:
    health, alarms = health_of(Lamp("postgres", latency=0.7))

    report = await health.check()

    assert report.status == report.stores["postgres"].status == "degraded"
    assert alarms.sounding() == ()


async def test_an_alarm_degrades_even_when_every_store_answers() -> None:
    health, alarms = health_of(Lamp("postgres"))

    alarms.sound(DISK_LOW, "home", "100 MiB left")

    assert (await health.check()).status == "degraded"


async def test_no_password_is_in_the_error() -> None:
    postgres = Lamp("postgres")
    postgres.error = gone("postgres")
    health, alarms = health_of(postgres)

    report = await health.check()

    assert report.stores["postgres"].error == (
        "postgres://me:***@host refuses connections: start it"
    )
    assert "hunter2" not in alarms.sounding()[0].detail


async def test_a_silent_store_is_down_after_patience_and_delays_no_other() -> None:
    silent, well = Lamp("redis"), Lamp("postgres")
    silent.gate.clear()
    health, _ = health_of(silent, well, patience=0.05)

    report = await health.check()

    assert report.stores["redis"].error == "no answer within 0.05 s"
    assert report.stores["postgres"].status == "ok"
    assert report.status == "degraded"


async def test_the_alarm_clears_when_the_store_is_back() -> None:
    clock, redis = VirtualClock(), Lamp("redis")
    redis.error = gone("redis")
    health, alarms = health_of(redis, clock=clock)
    await health.check()

    redis.error = None
    await clock.advance(1.0)
    report = await health.check()

    assert report.status == "ok"
    assert alarms.sounding() == ()


async def test_a_fresh_answer_is_not_asked_for_again() -> None:
    clock, postgres = VirtualClock(), Lamp("postgres")
    health, _ = health_of(postgres, clock=clock)

    for _ in range(100):
        await health.check()
    asked_once = postgres.pings
    await clock.advance(1.0)
    await health.check()

    assert (asked_once, postgres.pings) == (1, 2)


async def test_many_who_ask_at_once_share_one_round() -> None:
    postgres = Lamp("postgres")
    postgres.gate.clear()
    health, _ = health_of(postgres)

    callers = [asyncio.create_task(health.check()) for _ in range(50)]
    await until(lambda: postgres.pings)
    callers[0].cancel()
    postgres.gate.set()
    reports = await asyncio.gather(*callers[1:])

    assert postgres.pings == 1
    assert {report.status for report in reports} == {"ok"}
    with pytest.raises(asyncio.CancelledError):
        await callers[0]


async def test_the_alarm_of_health_is_the_documented_one() -> None:
    postgres = Lamp("postgres")
    postgres.error = gone("postgres")
    health, alarms = health_of(postgres)

    await health.check()

    assert alarms.sounding()[0].alarm == STORE_UNAVAILABLE.name


class Map:
    """The port `Atlas` with nothing behind it."""

    def __init__(self) -> None:
        self.placements = {"shop": [Placement("Stock", "dynamodb", "postgres")]}
        self.error: Exception | None = None
        self.reads = 0

    async def __call__(self) -> dict[str, list[Placement]]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.placements


async def test_where_entities_live_is_told_and_read_now_and_then() -> None:
    clock, atlas = VirtualClock(), Map()
    health = Health([Lamp("postgres")], alarms=Alarms(), clock=clock, atlas=atlas)

    for _ in range(3):
        report = await health.check()
        await clock.advance(LOCATED / 2)

    assert list(report.elsewhere()) == [("shop", Placement("Stock", "dynamodb", "postgres"))]
    assert atlas.reads == 2


async def test_placements_that_cannot_be_read_leave_what_was_known() -> None:
    clock, atlas, postgres = VirtualClock(), Map(), Lamp("postgres")
    health = Health([postgres], alarms=Alarms(), clock=clock, atlas=atlas)
    await health.check()

    await clock.advance(LOCATED)
    atlas.error = gone("postgres")
    unread = await health.check()
    await clock.advance(LOCATED)
    postgres.error = gone("postgres")
    down = await health.check()

    assert (unread.status, down.status) == ("ok", "down")
    assert unread.placements == down.placements == atlas.placements
    assert atlas.reads == 2
