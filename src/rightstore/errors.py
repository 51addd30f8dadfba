"""Every error that Rightstore raises, in one tree; what each one means for the caller.

RightstoreError
├── UsageError                   the caller must change code or configuration
│   ├── NotConfiguredError         something it needs is not set or not installed
│   ├── UnsupportedError           the store cannot do this, and will not pretend to
│   └── InvalidQueryError          the query has no meaning
├── StateError                   the store answered, and the answer is no
│   ├── NotFoundError              there is no such record
│   ├── AlreadyExistsError         a record with this key exists
│   ├── VersionConflictError       the record has moved on since it was read
│   ├── ConditionError             the condition of the write does not hold
│   ├── ConstraintError            a rule of the store forbids this value
│   ├── PartialError               of many writes some were not done (outcomes)
│   ├── KeyReusedError             the idempotency key was used with another request
│   ├── InProgressError            the same request is being worked on (retry_after)
│   ├── LimitError                 the limit is reached (retry_after)
│   ├── LeaseLostError             another owner has the lease now
│   ├── SessionBrokenError         what this session has seen is no longer guaranteed
│   ├── StepFailedError            a step said no; what was done before it is undone
│   └── CompensationFailedError    an undo failed; the saga is parked for a person
└── StoreError                   the store did not do its part (and: was it applied?)
    ├── UnavailableError           it cannot be reached or does not serve now
    ├── ThrottledError             it asks us to slow down
    ├── DeadlineError              it did not answer in time
    ├── RejectedError              it refused the request: rights, its limits, the protocol
    └── CorruptDataError           what it gave cannot be read

Retry and saga code decide by `outcome` and idempotency only, never by class or text. No message
carries a value of user data or a secret.
"""

from collections.abc import Sequence
from typing import Literal

Outcome = Literal["not applied", "unknown"]


class RightstoreError(Exception):
    """The root: catch it to catch everything that Rightstore raises.

    `retry_after` is the number of seconds after which asking again makes sense, when that is known.
    """

    retry_after: float | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class UsageError(RightstoreError):
    """The caller must change code or configuration."""


class NotConfiguredError(UsageError):
    """Something that this needs is not set or not installed."""


class UnsupportedError(UsageError):
    """The store cannot do this, and will not pretend to."""


class InvalidQueryError(UsageError):
    """The query has no meaning."""


class StateError(RightstoreError):
    """The store answered, and the answer is no."""


class NotFoundError(StateError):
    """There is no such record."""


class AlreadyExistsError(StateError):
    """A record with this key exists."""


class VersionConflictError(StateError):
    """The record has another version than the one this write was made from."""


class ConditionError(StateError):
    """The condition of the write does not hold."""


class ConstraintError(StateError):
    """A rule of the store forbids this value."""


class PartialError(StateError):
    """Of many writes some were not done: `outcomes` has a version or an error for each, in order.

    An error there that is a StoreError says itself whether that write may have been done.
    """

    outcomes: "Sequence[int | StateError | StoreError]" = ()

    def __init__(
        self, message: str, *, outcomes: "Sequence[int | StateError | StoreError]" = ()
    ) -> None:
        super().__init__(message)
        self.outcomes = tuple(outcomes)


class KeyReusedError(StateError):
    """The idempotency key was used with another request."""


class _LaterError(StateError):
    """An answer of "not now": it says when to ask again."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after: float | None = retry_after


class InProgressError(_LaterError):
    """The same request is being worked on."""


class LimitError(_LaterError):
    """The limit is reached."""


class LeaseLostError(StateError):
    """Another owner has the lease now."""


class SessionBrokenError(StateError):
    """What this session has seen can no longer be guaranteed."""


class StepFailedError(StateError):
    """A step said no, and what was done before it is undone."""


class CompensationFailedError(StateError):
    """An undo failed; the saga is parked for a person."""


class StoreError(RightstoreError):
    """The store did not do its part. `outcome` says whether the write may have happened."""

    def __init__(
        self,
        message: str,
        *,
        store: str,
        operation: str,
        outcome: Outcome = "unknown",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.store = store
        self.operation = operation
        self.outcome: Outcome = outcome
        self.retry_after: float | None = retry_after


class UnavailableError(StoreError):
    """The store cannot be reached or does not serve now."""


class ThrottledError(StoreError):
    """The store asks us to slow down."""


class DeadlineError(StoreError):
    """The store did not answer in time."""


class RejectedError(StoreError):
    """The store refused the request: rights, limits of the server, a fault of protocol."""


class CorruptDataError(StoreError):
    """What the store gave cannot be read."""


def _restore(
    kind: type[RightstoreError], args: tuple[object, ...], attributes: dict[str, object]
) -> RightstoreError:
    """Make an error again without its constructor, whose keywords `Exception` does not keep."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error
