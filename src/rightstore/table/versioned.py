"""The version of a row, as SQLAlchemy's ORM reads and checks it. The database alone raises it."""

from typing import Any

from sqlalchemy import BigInteger, FetchedValue, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

COLUMN = "version"


class Versioned:
    """A mixin: `class Order(Versioned, Base)`. Each change of a row raises its `version` by one.

    The ORM updates and deletes a row only in the version that it was read in. A trigger raises it,
    so that statements of any other origin do so too.
    """

    version: Mapped[int] = mapped_column(
        BigInteger, server_default=text("1"), server_onupdate=FetchedValue(), nullable=False
    )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - a directive gets the class
        return {
            "version_id_col": cls.__table__.c[COLUMN],  # type: ignore[attr-defined] # of the model
            "version_id_generator": False,
            # With RETURNING; otherwise the next look at `version` would be a query of its own.
            "eager_defaults": True,
        }
