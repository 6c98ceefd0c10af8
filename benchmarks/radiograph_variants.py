"""One simulated radiograph of a usual size, in the formats that radiographs come in."""

from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless, RLELossless
from scipy.ndimage import zoom

from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

__all__ = ["write_variants"]

_DRAWN_SIDE, _TIMES = 512, 4  # 2,048 pixels a side, as a detector of 41 cm with 0.2 mm a pixel
_DICOM_SYNTAXES = {"RLE": RLELossless, "JPEG-LS": JPEGLSLossless}


def write_variants(folder: Path) -> dict[str, Path]:
    """Write the radiograph once in each format, unless it is there; name -> file."""
    names = ["DICOM, uncompressed", *(f"DICOM, {one}" for one in _DICOM_SYNTAXES)]
    files = {name: folder / f"{index}.dcm" for index, name in enumerate(names)}
    files |= {"PNG, 16 bit": folder / "image.png", "JPEG": folder / "image.jpg"}
    if folder.exists():
        return files
    folder.mkdir()
    plain = files[names[0]]
    write_dicom(simulate(ThoraxParameters(), size=_DRAWN_SIDE), plain, patient=1)
    dataset = dcmread(plain)
    pixels = _finer(dataset.pixel_array)
    dataset.Rows, dataset.Columns = pixels.shape
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        if keyword in dataset:
            setattr(dataset, keyword, [float(mm) / _TIMES for mm in dataset[keyword].value])
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(plain, enforce_file_format=True)
    for name, syntax in _DICOM_SYNTAXES.items():
        dataset = dcmread(plain)
        dataset.compress(syntax)
        dataset.save_as(files[f"DICOM, {name}"], enforce_file_format=True)
    gray = dcmread(plain).pixel_array.astype(np.float64) / 4095
    Image.fromarray(np.rint(gray * 65535).astype(np.uint16)).save(files["PNG, 16 bit"])
    Image.fromarray(np.rint(gray * 255).astype(np.uint8)).save(files["JPEG"], quality=90)
    return files


def _finer(drawn: "np.ndarray[tuple[int, int], np.dtype[np.uint16]]") -> np.ndarray:
    smooth = zoom(drawn.astype(np.float64), _TIMES, order=1)
    noise = np.random.default_rng(0).normal(0, 12, smooth.shape)  # or files would shrink to little
    return np.clip(np.rint(smooth + noise), 0, 4095).astype("<u2")
