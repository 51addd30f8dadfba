"""Which answers to a commit of MongoDB leave it open whether it was done."""

import pytest
from pymongo.errors import OperationFailure, WTimeoutError

from rightstore.adapters.mongodb.transaction import may_be_done

UNKNOWN = {"errorLabels": ["UnknownTransactionCommitResult"]}
TRANSIENT = {"errorLabels": ["TransientTransactionError"]}


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("too slow", 50),
        OperationFailure("steps down", 11602),
        OperationFailure("whatever", 8, UNKNOWN),
        WTimeoutError("not confirmed in time", 64),
    ],
)
def test_an_unconfirmed_commit_may_be_done(error: OperationFailure) -> None:
    assert may_be_done(error)


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("conflict", 112, TRANSIENT),
        OperationFailure("no such transaction", 251, TRANSIENT),
    ],
)
def test_a_transaction_that_was_given_up_is_not_done(error: OperationFailure) -> None:
    assert not may_be_done(error)
