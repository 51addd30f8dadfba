import re
from pathlib import Path

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from rightstore.telemetry import alarm
from rightstore.telemetry.alarm import ALL, STORE_UNAVAILABLE, Alarm, Alarms
from rightstore.testing.clock import VirtualClock

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "alarms.md"


def gauge(subject: str) -> float | None:
    labels = {"alarm": STORE_UNAVAILABLE.name, "subject": subject}
    return REGISTRY.get_sample_value("rightstore_alarm", labels)


def test_an_alarm_is_a_metric_a_line_at_error_level_and_an_entry() -> None:
    alarms = Alarms(VirtualClock())

    with capture_logs() as lines:
        alarms.sound(STORE_UNAVAILABLE, "a", "no answer")

    (sounding,) = alarms.sounding()
    assert sounding.as_record() == {
        "alarm": "store-unavailable",
        "subject": "a",
        "detail": "no answer",
        "since": "2030-01-01T00:00:00+00:00",
        "remedy": STORE_UNAVAILABLE.remedy,
    }
    assert gauge("a") == 1
    assert [(line["log_level"], line["alarm"]) for line in lines] == [
        ("error", "store-unavailable")
    ]


def test_sounding_it_again_is_silent() -> None:
    changes: list[int] = []
    alarms = Alarms(changed=lambda: changes.append(1))

    with capture_logs() as lines:
        alarms.sound(STORE_UNAVAILABLE, "b", "first")
        alarms.sound(STORE_UNAVAILABLE, "b", "second")

    assert len(lines) == len(changes) == 1
    assert alarms.sounding()[0].detail == "first"


def test_it_clears_once() -> None:
    changes: list[int] = []
    alarms = Alarms(changed=lambda: changes.append(1))
    alarms.sound(STORE_UNAVAILABLE, "c", "x")

    alarms.clear(STORE_UNAVAILABLE, "c")
    alarms.clear(STORE_UNAVAILABLE, "c")

    assert alarms.sounding() == ()
    assert gauge("c") == 0
    assert len(changes) == 2


def test_every_alarm_is_in_the_list_of_all() -> None:
    declared = {value for value in vars(alarm).values() if isinstance(value, Alarm)}

    assert set(ALL) == declared


def test_the_document_and_the_code_agree() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", DOCUMENT.read_text(), re.MULTILINE)

    assert rows == [(each.name, each.meaning, each.remedy) for each in ALL]
