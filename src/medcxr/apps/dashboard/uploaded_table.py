"""Which patient each open radiograph is of, by a table that the user uploads."""

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import rows_of

__all__ = ["TABLE_LIMIT_MB", "patients_by_file"]

TABLE_LIMIT_MB = 4  # some ten thousand rows


def patients_by_file(data: bytes, name: str) -> dict[str, str]:
    """Return file name -> patient.

    Only the last part of an image path counts, as the name of an uploaded file: nothing is looked
    for on the disk.

    Args:
        data: of a CSV file with the columns image_path and patient_id.
        name: of the file, for messages.

    Raises:
        DataError: it is no such table.
    """
    if len(data) > TABLE_LIMIT_MB * 2**20:
        raise DataError(
            "Table {name} is larger than {table_limit_mb} MiB; send a shorter one.",
            name=name,
            table_limit_mb=TABLE_LIMIT_MB,
        )
    rows = rows_of(data, name, required=("image_path", "patient_id"))
    named = ((row["image_path"].replace("\\", "/"), row["patient_id"]) for row in rows)
    return {path.rpartition("/")[2]: patient for path, patient in named if patient}
