"""Logs: one pipeline for ours and for those of the libraries; JSON lines, or pretty on a terminal.

It masks secrets by the name of their key and in anything that looks like a URL with a password. It
cannot know a secret in free text: messages must not carry one.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "***"
DEEPEST = 8
Format = Literal["auto", "json", "pretty"]
PLAIN = (int, float, bool, type(None))
request_id: ContextVar[str | None] = ContextVar("rightstore_request_id", default=None)

_secret_key = re.compile(
    r"passw|passphrase|secret|token|authorization|cookie|credential|api_?key|private_?key",
    re.IGNORECASE,
)
_url_password = re.compile(r"(://[^\s\"'/:@]*):[^\s\"']*@")
_named_password = re.compile(
    r"\b((?:password|passwd|secret|token)\s*=\s*)[^\s\"'&;,]+", re.IGNORECASE
)


class _Steady:
    """A stream that never raises: a full disk or a closed pipe must not stop who only logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


class _Stream(logging.StreamHandler[TextIO]):
    """Our handler at the root of the standard library's logging, told from those of others."""


def configure(
    format: Format = "auto",
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process to the stream (stderr); may be called again."""
    out = sys.stderr if stream is None else stream
    pretty = format == "pretty" or (format == "auto" and out.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    steady = cast("TextIO", _Steady(out))
    steps: list[Processor] = [
        _add_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _as_text if pretty else _as_field,
        _mask_event,
    ]
    render = _pretty(out) if pretty else structlog.processors.JSONRenderer(serializer=_encode)
    structlog.configure(
        processors=[structlog.processors.add_log_level, *steps, render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(steady),
        cache_logger_on_first_use=False,
    )
    _route_foreign(steady, steps, render, threshold)


def mask(text: str) -> str:
    """Return the text with the passwords of URLs and of `password=…` replaced."""
    if "://" in text:
        text = _url_password.sub(rf"\1:{MASK}@", text)
    if "=" in text:
        text = _named_password.sub(rf"\1{MASK}", text)
    return text


def inform(event: str, **what: object) -> None:
    """Log what goes on, unless nobody configured a log: a script would get it on its output."""
    if structlog.is_configured():
        structlog.get_logger(__name__).info(event, **what)


def _route_foreign(out: TextIO, steps: list[Processor], render: Processor, threshold: int) -> None:
    """Let what libraries log through `logging` come out in the same form."""
    handler = _Stream(out)
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    before: list[Processor] = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[meta, *steps, render], foreign_pre_chain=before
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Stream)]:
        root.removeHandler(old)
    root.addHandler(handler)
    # Drivers write users' data at the level debug, and their daily business at info.
    root.setLevel(max(threshold, logging.INFO if threshold < logging.INFO else logging.WARNING))


def _add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    return event


_transform = ExceptionDictTransformer(show_locals=False, max_frames=20)
_as_field = structlog.processors.ExceptionRenderer(_transform)
_as_text = structlog.processors.ExceptionRenderer()


def _mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        # Most lines hold nothing but short words and numbers: these cost a look.
        if type(value) is str and not _is_secret(key):
            event[key] = mask(value)
        elif type(value) not in PLAIN or _is_secret(key):
            event[key] = _masked(key, value)
    return event


def _masked(key: object, value: Any, depth: int = 0) -> Any:
    if isinstance(key, str) and _is_secret(key) and value is not None:
        return MASK
    if isinstance(value, (int, float)) or value is None:
        return value
    if depth < DEEPEST and isinstance(value, Mapping):
        return {name: _masked(name, inner, depth + 1) for name, inner in value.items()}
    if depth < DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(None, inner, depth + 1) for inner in value]
    return mask(str(value))


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    return _secret_key.search(key) is not None


def _encode(event: EventDict, **_: object) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=str).decode()
    except (TypeError, UnicodeError):
        # Keys that JSON has not, lone surrogates: a log line is written all the same.
        return json.dumps(event, default=str, skipkeys=True)


def _pretty(out: TextIO) -> Processor:
    colors = out.isatty() and not os.environ.get("NO_COLOR")
    return structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback
    )
