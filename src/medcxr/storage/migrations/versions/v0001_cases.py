"""Cases with what models and readers said of them, and settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("image_digest", sa.String(64), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("label_folded", sa.String(400), nullable=False),
        sa.Column("patient_key", sa.String(64)),
        sa.Column("taken_at", sa.DateTime),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("last_seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint("image_digest", name="uq_cases_image_digest"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "readings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("operating_point", sa.String(100), nullable=False),
        sa.Column("analysis", sa.Text, nullable=False),
        sa.Column("urgency", sa.String(20), nullable=False),
        sa.Column("urgency_rank", sa.Integer, nullable=False),
        sa.Column("urgency_margin", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("analyzed_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_readings"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_readings_case_id_cases", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "case_id", "model", "operating_point", name="uq_readings_case_id_model_operating_point"
        ),
    )
    op.create_table(
        "findings",
        sa.Column("reading_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("finding", sa.String(100), nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("is_present", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("reading_id", "finding", name="pk_findings"),
        sa.ForeignKeyConstraint(
            ["reading_id"],
            ["readings.id"],
            name="fk_findings_reading_id_readings",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "opinions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("verdicts", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_opinions"),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name="fk_opinions_case_id_cases", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    for table, *columns in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def downgrade() -> None:
    """Drop the tables, whose indexes go with them."""
    for table in ("settings", "opinions", "findings", "readings", "cases"):
        op.drop_table(table)


_INDEXES = (
    ("cases", "patient_key"),
    ("cases", "first_seen_at"),
    ("cases", "last_seen_at"),
    ("readings", "case_id", "seen_at"),
    ("readings", "analyzed_at"),
    ("opinions", "case_id"),
)
