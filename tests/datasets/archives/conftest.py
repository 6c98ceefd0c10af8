"""Small archives in the layout of the published ones, with pictures of noise."""

import csv
import gzip
import io

import numpy as np
import pytest
from PIL import Image

from medcxr.core.findings import Finding
from medcxr.datasets.archives.image import Omission
from medcxr.datasets.study_table import StudyTable
from medcxr.services.datasets import Archive, ArchiveOptions, write_archive_table

FINDINGS = [finding.value for finding in Finding]  # Pneumonia, Effusion, Cardiomegaly, No Finding


class SmallArchive:
    """A folder to fill with tables and images, and what becomes of it."""

    def __init__(self, folder):
        self.folder = folder
        self.summary = None

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    def table(self, name, columns, rows):
        """Write a CSV; rows are dictionaries, and what they leave out is blank."""
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return self.write(name, text.getvalue())

    def images(self, *paths):
        for number, path in enumerate(paths):
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).resize((64, 72)).save(self.folder / path)

    def read(self, archive, findings=FINDINGS, **options):
        """Write the study table as the command does and read it as training does."""
        self.summary = write_archive_table(
            Archive(archive), self.folder, options=ArchiveOptions(**options)
        )
        return StudyTable.read_csv(self.summary.table, findings)

    def left_out(self):
        return {Omission(reason).name: n for reason, n in self.summary.left_out.items()}


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "unpacked").mkdir()
    return SmallArchive(tmp_path / "unpacked")
