"""The tables of a workspace's database. A change here needs a migration beside it."""

import re
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
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
    "NAME_LENGTH",
    "ORIGIN_LENGTH",
    "REVISION",
    "as_kept",
    "audit_events",
    "audit_head",
    "cases",
    "deliveries",
    "findings",
    "instances",
    "metadata",
    "opinions",
    "readings",
    "recovery_codes",
    "sessions",
    "settings",
    "sign_in_tries",
    "tokens",
    "users",
]

REVISION = "0006"
"""The newest migration: what this program reads and writes."""

LABEL_LENGTH = 200  # characters; longer than file names are on common systems
NAME_LENGTH = 100  # characters, of users and tokens
ORIGIN_LENGTH = 100  # characters, of what says where an instance came from
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")


def as_kept(words: str) -> str:
    """Return a text as it comes back from the database; it has as many characters."""
    return _NOT_KEPT.sub("\N{REPLACEMENT CHARACTER}", words)


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


class _Words(TypeDecorator[str]):
    """A text that every database keeps alike.

    PostgreSQL keeps no NUL, and none keeps half a pair of UTF-16; U+FFFD stands in their place.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Replace what cannot be kept."""
        return None if value is None else as_kept(value)


class _LongWords(_Words):
    """As `_Words`, of any length."""

    impl = Text
    cache_ok = True


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
    Column("image_digest", _Words(64), nullable=False, unique=True),
    Column("label", _Words(LABEL_LENGTH), nullable=False),
    Column(
        "label_folded", _Words(2 * LABEL_LENGTH), nullable=False
    ),  # to search in; "ß" becomes "ss"
    Column("patient_key", _Words(64), index=True),
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
    Column("model", _Words(200), nullable=False),
    Column("operating_point", _Words(100), nullable=False),
    Column("analysis", _LongWords, nullable=False),
    Column("urgency", _Words(20), nullable=False),
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
    Column("finding", _Words(100), primary_key=True),
    Column("probability", Double, nullable=False),
    Column("is_present", Integer, nullable=False),  # 1 or 0
)

opinions = Table(
    "opinions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("given_at", _Utc, nullable=False),
    Column("verdicts", _LongWords, nullable=False),  # JSON: finding -> verdict
    Column("comment", _LongWords, nullable=False),
    Column("given_by", _Words(NAME_LENGTH)),  # null: before there were users
)

settings = Table(
    "settings",
    metadata,
    Column("name", _Words(100), primary_key=True),
    Column("value", _LongWords, nullable=False),  # JSON
    Column("changed_at", _Utc, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", _Words(NAME_LENGTH), nullable=False),
    Column("name_folded", _Words(2 * NAME_LENGTH), nullable=False, unique=True),
    Column("role", _Words(20), nullable=False),
    Column("password_hash", _Words(200), nullable=False),
    Column("must_change", Integer, nullable=False),  # 1 or 0, as the flags below
    Column("is_active", Integer, nullable=False),
    Column("failures", Integer, nullable=False),  # wrong passwords or codes in a row
    Column("locked_until", _Utc),
    Column("second_factor", _Words(64)),  # the shared secret of RFC 6238, encrypted
    Column("second_factor_step", BigInteger),  # the last one used: no code opens twice
    Column("second_factor_lag_s", Integer),  # by which the device's codes come late
    Column("created_at", _Utc, nullable=False),
    Column("password_changed_at", _Utc, nullable=False),
    Column("last_signed_in_at", _Utc),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("key", _Words(64), primary_key=True),  # SHA-256 of what the signed-in door holds
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("door", _Words(20), nullable=False),
    Column("opened_at", _Utc, nullable=False),
    Column("seen_at", _Utc, nullable=False),
    Column("ended_at", _Utc),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column(
        "user_id",
        ForeignKey(users.c.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("key", _Words(64), primary_key=True),  # SHA-256 of the code; a used one is deleted
)

# What is counted of sign-ins beside the failures of a user: those of names that nobody has, by a
# key made of the name, and those of the whole workspace.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("key", _Words(64), primary_key=True),
    Column("failures", Double, nullable=False),
    Column("locked_until", _Utc),
    Column("tried_at", _Utc, nullable=False, index=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("name", _Words(NAME_LENGTH), nullable=False),
    Column("key", _Words(64), nullable=False, unique=True),  # SHA-256 of the token
    Column("scopes", _LongWords, nullable=False),  # JSON: permissions
    Column("created_at", _Utc, nullable=False),
    Column("expires_at", _Utc),
    Column("last_used_at", _Utc),
    Column("revoked_at", _Utc),
    sqlite_autoincrement=True,
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # without a gap
    Column("at", _Words(32), nullable=False),  # as it was sealed, ISO 8601 in UTC
    Column("actor", _Words(NAME_LENGTH), nullable=False, index=True),
    Column("role", _Words(20), nullable=False),
    Column("door", _Words(20), nullable=False),
    Column("action", _Words(50), nullable=False, index=True),
    Column("subject", _Words(300), nullable=False),
    Column("details", _LongWords, nullable=False),  # JSON, as it was sealed
    Column("seal", _Words(64), nullable=False),
)

# One row: whoever appends waits here for the one before, and a trail that was cut short is told
# by it.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("seal", _Words(64), nullable=False),
    Column("head_seal", _Words(64), nullable=False),
)

# What other systems have sent. Its bytes lie in a file of the workspace until it is read; the row
# stays for some time, so that what comes again is known.
instances = Table(
    "instances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sop_instance_uid", _Words(64), nullable=False, unique=True),
    Column("digest", _Words(64), nullable=False, index=True),  # SHA-256 of the file
    Column("n_bytes", BigInteger, nullable=False),
    Column("sop_class_uid", _Words(64), nullable=False),
    Column("study_uid", _Words(64), nullable=False),
    Column("series_uid", _Words(64), nullable=False),
    Column("transfer_syntax_uid", _Words(64), nullable=False),
    Column("origin", _Words(ORIGIN_LENGTH), nullable=False),  # e.g. "c-store MODALITY1"
    Column("received_at", _Utc, nullable=False),
    Column(
        "is_told", Integer, nullable=False, index=True
    ),  # 1 once the audit trail tells of it, else 0
    Column("state", _Words(20), nullable=False),
    Column("state_at", _Utc, nullable=False, index=True),  # since when it is in this state
    Column("priority", Integer, nullable=False),  # the highest is read first
    Column("attempts", Integer, nullable=False),  # times that it was claimed
    Column("claimed_by", _Words(NAME_LENGTH)),
    Column("claimed_at", _Utc),
    Column("reason", _LongWords),  # why it was not read; nothing of a patient
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), index=True),
    Index(None, "state", "priority", "id"),
    sqlite_autoincrement=True,
)

# Results for other systems. Their bytes lie in files of the workspace, named by digest, until every
# destination has confirmed them; the row stays for some time.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("result_uid", _Words(128), nullable=False),  # the same for the same result
    Column("destination", _Words(NAME_LENGTH), nullable=False),
    Column("kind", _Words(50), nullable=False),
    Column("digest", _Words(64), nullable=False, index=True),  # SHA-256 of the file
    Column("n_bytes", BigInteger, nullable=False),
    Column("urgency_rank", Integer, nullable=False),  # the smallest is sent first
    Column("made_at", _Utc, nullable=False),
    Column("state", _Words(20), nullable=False),
    Column("state_at", _Utc, nullable=False, index=True),  # since when it is in this state
    Column("attempts", Integer, nullable=False),  # that were in vain
    Column("next_try_at", _Utc, nullable=False),
    Column("last_error", _LongWords),  # why; nothing of a patient
    Column("image_digest", _Words(64), index=True),  # SHA-256 of the radiograph; null: not known
    UniqueConstraint("result_uid", "destination"),
    Index(None, "destination", "state", "urgency_rank", "id"),
    sqlite_autoincrement=True,
)
