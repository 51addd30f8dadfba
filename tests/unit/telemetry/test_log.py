import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from rightstore.telemetry import log

CANARY = "hunter2"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    root.handlers = handlers


def lines(stream: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_a_json_object_away_from_a_terminal() -> None:
    stream = StringIO()
    log.configure("auto", "info", stream)

    structlog.get_logger().info("two\nlines", number=1, path="ä\ud800")

    (line,) = lines(stream)
    assert line["event"] == "two\nlines"
    assert line["level"] == "info"
    assert line["number"] == 1
    assert str(line["timestamp"]).endswith("Z")


def test_a_terminal_gets_pretty_lines_with_colour_unless_no_color_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coloured, plain = Terminal(), Terminal()

    monkeypatch.delenv("NO_COLOR", raising=False)
    log.configure("auto", "info", coloured)
    structlog.get_logger().info("hello")
    monkeypatch.setenv("NO_COLOR", "1")
    log.configure("auto", "info", plain)
    structlog.get_logger().info("hello")

    assert "\x1b[" in coloured.getvalue()
    assert "hello" in plain.getvalue()
    assert "\x1b[" not in plain.getvalue()


def test_what_is_below_the_level_is_not_written() -> None:
    stream = StringIO()
    log.configure("json", "warning", stream)

    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_libraries_come_out_of_the_same_pipeline() -> None:
    stream = StringIO()
    log.configure("json", "info", stream)

    logging.getLogger("uvicorn.error").warning("cannot reach redis://:%s@host/0", CANARY)

    (line,) = lines(stream)
    assert line["event"] == "cannot reach redis://:***@host/0"
    assert line["logger"] == "uvicorn.error"
    assert line["level"] == "warning"


def test_configuring_again_does_not_double_the_lines_of_libraries() -> None:
    stream = StringIO()

    log.configure("json", "info", StringIO())
    log.configure("json", "info", stream)
    logging.getLogger("anything").error("once")

    assert len(lines(stream)) == 1


@pytest.mark.parametrize("format", ["json", "pretty"])
def test_no_secret_gets_through(format: log.Format) -> None:
    stream = StringIO()
    log.configure(format, "info", stream)
    logger = structlog.get_logger()

    logger.info("at postgresql://me:%s@host/db", CANARY)
    logger.info("a", password=CANARY, Authorization=f"Bearer {CANARY}", db_secret=CANARY)
    logger.info("b", headers={"Cookie": CANARY, "list": [{"api_key": CANARY}]})
    logger.info("c", url=f"amqp://u:p@{CANARY}@host", dsn=f"host=h password={CANARY}")
    logger.info("d", what=ValueError(f"redis://:{CANARY}@host"), token=[CANARY])
    try:
        raise ValueError(f"mongodb://u:{CANARY}@host")
    except ValueError:
        logger.exception("e")
        logging.getLogger("driver").exception("f")

    assert stream.getvalue().count("***") >= 9
    assert CANARY not in stream.getvalue()


def test_an_exception_is_one_structured_field_without_local_variables() -> None:
    stream = StringIO()
    log.configure("json", "info", stream)
    local = CANARY

    try:
        raise LookupError("nothing there")
    except LookupError:
        structlog.get_logger().exception("failed", length=len(local))

    (line,) = lines(stream)
    assert isinstance(line["exception"], list)
    assert line["exception"][0]["exc_type"] == "LookupError"
    assert CANARY not in stream.getvalue()


def test_the_current_request_is_named() -> None:
    stream = StringIO()
    log.configure("json", "info", stream)

    token = log.request_id.set("r-1")
    structlog.get_logger().info("inside")
    log.request_id.reset(token)
    structlog.get_logger().info("outside")

    inside, outside = lines(stream)
    assert inside["request_id"] == "r-1"
    assert "request_id" not in outside


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:pw@host/db", "postgresql://me:***@host/db"),
        ("redis://:p@ss:w/rd@host", "redis://:***@host"),
        ("http://host:80/a?b=c", "http://host:80/a?b=c"),
        ("token = abc, more", "token = ***, more"),
        ("nothing here", "nothing here"),
    ],
)
def test_passwords_in_text_are_masked(text: str, shown: str) -> None:
    assert log.mask(text) == shown


class Broken(StringIO):
    """A stream on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("format", ["json", "pretty"])
def test_a_line_that_cannot_be_written_stops_nobody(format: log.Format) -> None:
    log.configure(format, "info", Broken())

    structlog.get_logger().error("alarm", alarm="disk-low")
    logging.getLogger("library").error("of a library")
