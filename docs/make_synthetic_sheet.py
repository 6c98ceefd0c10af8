"""Draw docs/images/synthetic.png: simulated radiographs with their findings.

Run from the repository: python docs/make_synthetic_sheet.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.synthetic import sample_parameters, simulate

TARGET = Path(__file__).parent / "images" / "synthetic.png"
CASES = (
    ((Finding.NO_FINDING,), View.PA, 3),
    ((Finding.NO_FINDING,), View.PA, 21),
    ((Finding.CARDIOMEGALY,), View.PA, 12),
    ((Finding.EFFUSION,), View.PA, 5),
    ((Finding.PNEUMONIA,), View.PA, 8),
    ((Finding.PNEUMONIA,), View.PA, 31),
    ((Finding.EFFUSION, Finding.CARDIOMEGALY), View.PA, 17),
    ((Finding.PNEUMONIA, Finding.EFFUSION), View.AP, 29),
)
COLUMNS, SIDE, GAP, CAPTION = 4, 248, 6, 22  # pixels


def main() -> None:
    """Simulate the cases and write the sheet."""
    rows = len(CASES) // COLUMNS
    sheet = Image.new("L", (COLUMNS * (SIDE + GAP) - GAP, rows * (SIDE + CAPTION)), 255)
    draw = ImageDraw.Draw(sheet)
    for index, (findings, view, seed) in enumerate(CASES):
        patient = sample_parameters(np.random.default_rng(seed), findings=findings, view=view)
        radiograph = simulate(patient, seed=seed)
        picture = Image.fromarray(np.rint(radiograph.pixels * 255).astype(np.uint8))
        left, top = (index % COLUMNS) * (SIDE + GAP), (index // COLUMNS) * (SIDE + CAPTION)
        sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
        text = f"{', '.join(radiograph.findings)} ({radiograph.view})"
        place = (left + SIDE / 2, top + SIDE + CAPTION / 2)
        draw.text(place, text, 0, ImageFont.load_default(13), anchor="mm")
    TARGET.parent.mkdir(exist_ok=True)
    sheet.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
