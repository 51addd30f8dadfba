"""What PostgreSQL keeps of a password, computed here so that the password never travels."""

from base64 import b64decode

import pytest

from rightstore.adapters.postgres.bootstrap import verifier
from rightstore.errors import UsageError


def test_it_is_that_of_the_example_in_rfc_7677() -> None:
    made = verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))

    assert made == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.parametrize("password", ["", "pässword", "tab\there"])
def test_a_password_that_would_need_preparation_is_refused(password: str) -> None:
    with pytest.raises(UsageError, match="printable ASCII"):
        verifier(password, b"salt")
