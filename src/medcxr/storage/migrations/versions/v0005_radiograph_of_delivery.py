"""Of which radiograph a result is, so that it goes where the radiograph's case goes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_INDEX = "ix_deliveries_image_digest"


def upgrade() -> None:
    """Add the column; of results that wait already it is not known."""
    op.add_column("deliveries", sa.Column("image_digest", sa.String(64)))
    op.create_index(_INDEX, "deliveries", ["image_digest"])


def downgrade() -> None:
    """Drop the column with its index."""
    op.drop_index(_INDEX, table_name="deliveries")
    op.drop_column("deliveries", "image_digest")
