"""How fast the DICOM node receives, beside dcmtk's storescp in the same run, with the same sender and files.

    python benchmarks/c_store.py
    python benchmarks/c_store.py --sizes 128 1024 2500 --associations 1 16 --repeats 5

The node answers Success when file and row would survive a power cut; storescp when it has handed the
file to the operating system. dcmtk's storescu sends, one process for each association. Nagle's
algorithm, which dcmtk leaves on unless TCP_NODELAY says otherwise, costs its pairs some 90 ms an
image; so it is off for sender and both receivers, unless --nagle is given.

The receivers take turns within each repeat. Needs dcmtk.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

NODE, PLAIN, FORK = "node", "storescp", "storescp --fork"
_ROOT = "2.25.1"  # followed by digits, so that all identifiers have the same length
_START_S = 30.0


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    for program in ("storescp", "storescu"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: install dcmtk.")
    environment = {**os.environ} if options.nagle else {**os.environ, "TCP_NODELAY": "1"}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; images/s, median (least-most)")
    for side in options.sizes:
        for associations in options.associations:
            _compare(side, associations, options, environment)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 1024, 2500])
    parser.add_argument("--associations", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--mib", type=int, default=160, help="bytes sent in one turn, about")
    parser.add_argument("--most", type=int, default=320, help="images sent in one turn, at most")
    parser.add_argument("--processes", type=int, default=1, help="of the node")
    parser.add_argument("--nagle", action="store_true", help="leave Nagle's algorithm on")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    return parser.parse_args()


def _compare(
    side: int, associations: int, options: argparse.Namespace, environment: dict[str, str]
) -> None:
    n = min(options.most, max(associations, options.mib * 2**20 // (2 * side * side)))
    n -= n % associations
    rates: dict[str, list[float]] = {NODE: [], PLAIN: [], FORK: []}
    for repeat in range(options.repeats):
        order = list(rates)
        for name in order[repeat % 3 :] + order[: repeat % 3]:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                files = _written(Path(folder) / "sent", side, n, repeat)
                with _receiver(name, Path(folder), options.processes, environment) as port:
                    seconds = _send(files, associations, port, environment)
                rates[name].append(n / seconds)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print(
        f"\n{side} x {side} ({2 * side * side / 1e6:.2f} MB), {n} images, {associations} associations"
    )
    for name, found in rates.items():
        ratio = f"node / it = {medians[NODE] / medians[name]:.2f}" if name != NODE else ""
        print(f"  {name:16} {medians[name]:8.1f}  ({min(found):.1f}-{max(found):.1f})  {ratio}")
    sys.stdout.flush()


def _written(folder: Path, side: int, n: int, repeat: int) -> list[Path]:
    """Write n files that differ by their identifiers only."""
    folder.mkdir()
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    first = f"{_ROOT}{'0' * 9}"
    data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    data.SOPInstanceUID = first
    data.file_meta.MediaStorageSOPInstanceUID = UID(first)
    data.StudyInstanceUID, data.SeriesInstanceUID = "2.25.2", "2.25.3"
    data.PatientID, data.PatientName, data.Modality = "simulated", "simulated", "DX"
    data.Rows = data.Columns = side
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.PhotometricInterpretation = "MONOCHROME2"
    generator = np.random.default_rng(side)
    data.PixelData = generator.integers(0, 4096, (side, side), dtype=np.uint16).tobytes()
    path = folder / "first.dcm"
    data.save_as(path, enforce_file_format=True)
    whole = path.read_bytes()
    path.unlink()
    paths = []
    for number in range(n):
        uid = f"{_ROOT}{repeat:03}{number:06}"
        paths.append(folder / f"{number:06}.dcm")
        paths[-1].write_bytes(whole.replace(first.encode(), uid.encode()))
    os.sync()  # so that what is measured does not wait for it
    return paths


@contextmanager
def _receiver(
    name: str, folder: Path, processes: int, environment: dict[str, str]
) -> Iterator[int]:
    port = _free_port()
    workspace, received = folder / "workspace", folder / "received"
    workspace.mkdir()
    received.mkdir()
    if name == NODE:
        (workspace / "node.toml").write_text(
            f"[node]\nport = {port}\nprocesses = {processes}\nreserve_mib = 0\n"
        )
        command = [sys.executable, "-m", "medcxr", "node", "--receive-only"]
        command += ["--workspace", str(workspace)]
    else:
        command = [*name.split(), "-aet", "MEDCXR", "-od", str(received), str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        until = time.monotonic() + _START_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{name} does not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        if name == NODE and processes > 1:
            time.sleep(3.0)  # until all of them listen
        yield port
    finally:
        process.terminate()
        process.wait()


def _send(
    files: Sequence[Path], associations: int, port: int, environment: dict[str, str]
) -> float:
    """Return the seconds until every association has been released with success."""
    shares = [files[first::associations] for first in range(associations)]
    begin = time.perf_counter()
    senders = [
        subprocess.Popen(
            ["storescu", "-aec", "MEDCXR", "localhost", str(port), *map(str, share)],
            env=environment,
        )
        for share in shares
    ]
    codes = [sender.wait() for sender in senders]
    seconds = time.perf_counter() - begin
    if any(codes):
        sys.exit(f"A sender failed: {codes}")
    return seconds


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
