"""Instances that other systems have sent."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "instances",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger, nullable=False),
        sa.Column("sop_class_uid", sa.String(64), nullable=False),
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("series_uid", sa.String(64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(100), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("is_told", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_at", _MOMENT, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claimed_by", sa.String(100)),
        sa.Column("claimed_at", _MOMENT),
        sa.Column("reason", sa.Text),
        sa.Column("case_id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_instances_case_id_cases", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("sop_instance_uid", name="uq_instances_sop_instance_uid"),
        sqlite_autoincrement=True,
    )
    for columns in _INDEXES:
        op.create_index(f"ix_instances_{'_'.join(columns)}", "instances", columns)


def downgrade() -> None:
    """Drop the table, whose indexes go with it."""
    op.drop_table("instances")


_INDEXES = (("digest",), ("is_told",), ("state_at",), ("case_id",), ("state", "priority", "id"))
