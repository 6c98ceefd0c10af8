"""By how much the clock of a second factor's device differs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("second_factor_lag_s", sa.Integer))


def downgrade() -> None:
    """Drop it; the clocks are taken to be right then."""
    with op.batch_alter_table("users") as users:
        users.drop_column("second_factor_lag_s")
