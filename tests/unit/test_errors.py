"""The tree of errors: what it promises to those who catch, copy, send and read it."""

import copy
import inspect
import pickle
from collections.abc import Callable

import pytest

from rightstore import errors
from rightstore.errors import (
    DeadlineError,
    InProgressError,
    LimitError,
    NotFoundError,
    RightstoreError,
    StateError,
    StoreError,
    UsageError,
)

KINDS = [
    kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, Exception) and not name.startswith("_")
]
COPIES: list[Callable[[RightstoreError], RightstoreError]] = [
    copy.copy,
    copy.deepcopy,
    lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
]


def make(kind: type[RightstoreError]) -> RightstoreError:
    if issubclass(kind, StoreError):
        return kind("gone", store="postgres", operation="ping", retry_after=0.5)
    if issubclass(kind, InProgressError | LimitError):
        return kind("later", retry_after=2.0)
    return kind("no")


def drawn_tree() -> dict[str, str]:
    """Read the drawing at the top of the module: the name of each class and of its parent."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        branch = line.lstrip(" │├└─")
        if not branch.split(maxsplit=1) or not branch.split()[0].endswith("Error"):
            continue
        depth = (len(line) - len(branch)) // 4
        name = branch.split()[0]
        path[depth:] = [name]
        parents[name] = path[depth - 1] if depth else "Exception"
    return parents


def public_parent(kind: type) -> str:
    return next(base.__name__ for base in kind.__mro__[1:] if not base.__name__.startswith("_"))


def test_the_tree_that_is_drawn_is_the_tree_of_the_classes() -> None:
    declared = {kind.__name__: public_parent(kind) for kind in KINDS}

    assert drawn_tree() == declared


def test_there_is_one_root_and_three_families() -> None:
    roots = [kind for kind in KINDS if kind.__bases__ == (Exception,)]
    families = [kind for kind in KINDS if kind.__bases__ == (RightstoreError,)]

    assert roots == [RightstoreError]
    assert families == [UsageError, StateError, StoreError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_ends_in_error_and_every_class_says_what_it_means(kind: type) -> None:
    assert kind.__name__.endswith("Error")
    assert kind.__doc__


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_the_same_error(
    kind: type[RightstoreError], copied: Callable[[RightstoreError], RightstoreError]
) -> None:
    error = make(kind)
    error.add_note("seen by the runner")

    other = copied(error)

    assert other is not error
    assert type(other) is kind
    assert other.args == error.args
    assert vars(other) == vars(error)
    assert str(other) == str(error)


def test_a_store_error_assumes_the_worst_about_the_write() -> None:
    error = DeadlineError("no answer", store="redis", operation="put")

    assert error.outcome == "unknown"
    assert error.retry_after is None


def test_an_error_that_knows_no_better_time_has_none() -> None:
    assert NotFoundError("no such order").retry_after is None


def test_a_subclass_with_its_own_constructor_survives_a_copy() -> None:
    class TooOldError(StateError):
        def __init__(self, age: int) -> None:
            super().__init__(f"{age} days")
            self.age = age

    other = copy.deepcopy(TooOldError(3))

    assert other.age == 3
    assert str(other) == "3 days"
