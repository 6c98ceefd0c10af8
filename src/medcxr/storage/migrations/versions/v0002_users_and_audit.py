"""Users with their sessions and tokens, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    with op.batch_alter_table("opinions") as opinions:
        opinions.add_column(sa.Column("given_by", sa.String(100)))
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_folded", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("must_change", sa.Integer, nullable=False),
        sa.Column("is_active", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", _MOMENT),
        sa.Column("second_factor", sa.String(64)),
        sa.Column("second_factor_step", sa.BigInteger),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("password_changed_at", _MOMENT, nullable=False),
        sa.Column("last_signed_in_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name_folded", name="uq_users_name_folded"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("door", sa.String(20), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("key", name="pk_sessions"),
        _of_user("sessions"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_recovery_codes"),
        _of_user("recovery_codes"),
    )
    op.create_table(
        "sign_in_tries",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("failures", sa.Double, nullable=False),
        sa.Column("locked_until", _MOMENT),
        sa.Column("tried_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_sign_in_tries"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.Column("last_used_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        _of_user("tokens"),
        sa.UniqueConstraint("key", name="uq_tokens_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_events",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("door", sa.String(20), nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_events"),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("head_seal", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    for table, column in _INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    for words in _guards():
        op.execute(words)


def downgrade() -> None:
    """Drop the tables, whose indexes and triggers go with them."""
    for table in _TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_append_only()")
    with op.batch_alter_table("opinions") as opinions:
        opinions.drop_column("given_by")


_TABLES = (
    "audit_head",
    "audit_events",
    "tokens",
    "sign_in_tries",
    "recovery_codes",
    "sessions",
    "users",
)
_INDEXES = (
    ("sessions", "user_id"),
    ("sign_in_tries", "tried_at"),
    ("tokens", "user_id"),
    ("audit_events", "actor"),
    ("audit_events", "action"),
)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE"
    )


def _guards() -> tuple[str, ...]:
    """Return what makes the database itself refuse to change or delete an event.

    It stops slips of programs; against people who may change the tables there are the seals.
    """
    if op.get_bind().dialect.name == "postgresql":
        return (
            (
                "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
                "BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
            ),
            (
                "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                "ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
            ),
        )
    return tuple(
        f"CREATE TRIGGER audit_refuses_{kind.lower()} BEFORE {kind} ON audit_events "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        for kind in ("UPDATE", "DELETE")
    )
