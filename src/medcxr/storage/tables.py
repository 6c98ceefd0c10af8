"""The tables of a workspace's database. A change here needs a migration beside it."""

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "LABEL_LENGTH",
    "REVISION",
    "cases",
    "findings",
    "metadata",
    "opinions",
    "readings",
    "settings",
]

REVISION = "0001"
"""The newest migration: what this program reads and writes."""

LABEL_LENGTH = 200  # characters; longer than file names are on common systems


class _Utc(TypeDecorator[datetime]):
    """A moment with its time zone, kept as UTC also where a database knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse moments that could be anywhere."""
        if value is not None and value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be kept.")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={  # so that a migration can name what it changes
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_digest", String(64), nullable=False, unique=True),
    Column("label", String(LABEL_LENGTH), nullable=False),
    Column(
        "label_folded", String(2 * LABEL_LENGTH), nullable=False
    ),  # to search in; "ß" becomes "ss"
    Column("patient_key", String(64), index=True),
    Column("taken_at", DateTime),
    Column("first_seen_at", _Utc, nullable=False, index=True),
    Column("last_seen_at", _Utc, nullable=False, index=True),
    sqlite_autoincrement=True,  # the number of a deleted case is not given again
)

readings = Table(
    "readings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("model", String(200), nullable=False),
    Column("operating_point", String(100), nullable=False),
    Column("analysis", Text, nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("urgency_rank", Integer, nullable=False),
    Column("urgency_margin", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("analyzed_at", _Utc, nullable=False, index=True),
    Column("seen_at", _Utc, nullable=False),
    UniqueConstraint("case_id", "model", "operating_point"),
    Index(None, "case_id", "seen_at"),
)

findings = Table(
    "findings",
    metadata,
    Column(
        "reading_id",
        ForeignKey(readings.c.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("finding", String(100), primary_key=True),
    Column("probability", Double, nullable=False),
    Column("is_present", Integer, nullable=False),  # 1 or 0
)

opinions = Table(
    "opinions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("given_at", _Utc, nullable=False),
    Column("verdicts", Text, nullable=False),  # JSON: finding -> verdict
    Column("comment", Text, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("changed_at", _Utc, nullable=False),
)
