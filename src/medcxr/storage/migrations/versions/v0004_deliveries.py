"""Results that wait to be delivered to other systems."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("result_uid", sa.String(128), nullable=False),
        sa.Column("destination", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger, nullable=False),
        sa.Column("urgency_rank", sa.Integer, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", _MOMENT, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "result_uid", "destination", name="uq_deliveries_result_uid_destination"
        ),
        sqlite_autoincrement=True,
    )
    for columns in _INDEXES:
        op.create_index(f"ix_deliveries_{'_'.join(columns)}", "deliveries", columns)


def downgrade() -> None:
    """Drop the table, whose indexes go with it."""
    op.drop_table("deliveries")


_INDEXES = (("digest",), ("state_at",), ("destination", "state", "urgency_rank", "id"))
