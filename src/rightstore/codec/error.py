"""Errors of ours to bytes and back, for answers that are stored. It runs nothing that it reads."""

import math

import msgspec

from rightstore import errors
from rightstore.codec.value import corrupt, decode, encode
from rightstore.errors import Outcome, RightstoreError, StoreError


def encode_error(error: RightstoreError) -> bytes:
    """Return the bytes of one of our errors; of a subclass of yours what it inherits from ours.

    Storing an error does not fail: text that no store could keep is replaced.
    """
    later = error.retry_after
    kept: dict[str, object] = {
        "kinds": [
            kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__
        ],
        "message": _storable(str(error)),
        "retry_after": None if later is None or not math.isfinite(later) else float(later),
    }
    if isinstance(error, StoreError):
        kept |= {
            "store": _storable(error.store),
            "operation": _storable(error.operation),
            "outcome": error.outcome,
        }
    return encode(kept)


def decode_error(
    data: bytes, *, store: str = "unknown", operation: str = "decode"
) -> RightstoreError:
    """Return the error that was kept, as the nearest kind that this version knows.

    Names are looked up in our own tree; nothing is imported or run. Bytes that hold no error raise
    CorruptDataError, as `decode` does.
    """
    kept = decode(data, store=store, operation=operation)
    try:
        return msgspec.convert(kept, _KeptError).restore()
    except msgspec.ValidationError:
        corrupt(store, operation, "they hold a value, but not an error")


class _KeptError(msgspec.Struct, frozen=True):
    """The shape in which an error is kept; fields of later versions are passed over."""

    kinds: list[str]
    message: str
    retry_after: float | None = None
    store: str = "unknown"
    operation: str = "unknown"
    outcome: Outcome = "unknown"

    def restore(self) -> RightstoreError:
        kind = next((_KINDS[name] for name in self.kinds if name in _KINDS), RightstoreError)
        error = kind.__new__(kind, self.message)
        error.args = (self.message,)
        if self.retry_after is not None:
            error.retry_after = self.retry_after
        if isinstance(error, StoreError):
            error.store, error.operation, error.outcome = self.store, self.operation, self.outcome
        return error


_KINDS: dict[str, type[RightstoreError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, RightstoreError) and not name.startswith("_")
}


def _storable(text: str) -> str:
    return text.encode(errors="replace").decode()
