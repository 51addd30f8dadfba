"""The passwords of the embedded servers: made once, at random, and kept in a file of mode 0600."""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Self

from rightstore.embedded.home import Home, read_json, trouble, write
from rightstore.errors import UsageError


def _make() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Secrets:
    """One password for each user that the servers know."""

    postgres_admin: str = field(default_factory=_make, repr=False)
    postgres_owner: str = field(default_factory=_make, repr=False)
    redis: str = field(default_factory=_make, repr=False)
    mongodb_owner: str = field(default_factory=_make, repr=False)
    # A mongod takes letters and digits only.
    mongodb_key: str = field(default_factory=partial(secrets.token_hex, 24), repr=False)

    @classmethod
    def read(cls, home: Home) -> Self | None:
        """Return those that are kept, None before the first start."""
        kept = read_json(home.secrets)
        if kept is None:
            return None
        try:
            return cls(**{part.name: str(kept[part.name]) for part in fields(cls)})
        except KeyError as error:
            raise UsageError(
                f"{home.secrets} lacks {error}: restore it from a backup; without it the data "
                "cannot be opened"
            ) from error

    @classmethod
    def read_or_make(cls, home: Home, has_data: Callable[[], bool]) -> Self:
        """Return those that are kept, or make them; never anew for data that has others."""
        kept = cls.read(home)
        if kept is not None:
            return kept
        if has_data():
            raise UsageError(
                f"{home.secrets} is gone, but there are data in {home.path} that need it: restore "
                "it from a backup, or move the folder away to begin with an empty one"
            )
        made = cls()
        with trouble(home.secrets):
            write(home.secrets, json.dumps(asdict(made), indent=2) + "\n")
        return made
