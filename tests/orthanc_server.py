"""A real PACS of the tests' own: Orthanc, with DICOMweb, on free ports and in a folder of its own.

It asks for a user at the web and takes every association; it can be killed and started again on the
same storage. Which systems it may send to is said by `know`.
"""

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

AE_TITLE = "ORTHANC"
USER = "medcxr"
PASSWORD = "p@ss:wörd"  # noqa: S105 - of a server that ends with the tests
_PLUGINS = Path("/usr/share/orthanc/plugins")
_CIVIL_SECONDS = 30  # to answer after its start, on a computer that does other things


@dataclass(slots=True)
class OrthancServer:
    """A server that runs, until it is killed or stopped.

    Attributes:
        folder: of its storage, its configuration and its log.
        program: Orthanc.
        plugin: its DICOMweb.
        settings: beside those of `_settings`, by Orthanc's names.
        http_port: on 127.0.0.1, for its own REST and for DICOMweb.
        dicom_port: on 127.0.0.1, for C-STORE, C-FIND, C-MOVE and C-GET.
        ae_title: of the server; others may be called too.
        user: who may ask by the web.
        password: of the user.
    """

    folder: Path
    program: Path
    plugin: Path
    settings: dict[str, object] = field(default_factory=dict)
    http_port: int = 0
    dicom_port: int = 0
    ae_title: str = AE_TITLE
    user: str = USER
    password: str = PASSWORD
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its REST is."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dicom_web(self) -> str:
        """Where its DICOMweb is: `/studies` is appended to this."""
        return f"{self.url}/dicom-web"

    @property
    def log(self) -> str:
        """What it told so far."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, on the storage it had before, and wait until it answers at both ports."""
        assert self.process is None, "it runs already"
        if not self.http_port:
            self.http_port, self.dicom_port = _free_ports(2)
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps({**self._settings(), **self.settings}))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, configuration],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        until = time.monotonic() + _CIVIL_SECONDS
        while not (_listens(self.http_port) and _listens(self.dicom_port)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a loss of power does: SIGKILL."""
        assert self.process is not None, "it does not run"
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """Ask it to end, and wait for it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Start it again on the same storage and ports, after a kill or an orderly end."""
        self.stop()
        self.start()

    def ask(self, method: str, path: str, body: object = None) -> object:
        """Ask its REST, as `/instances`; return what its JSON says, or bytes if it is none.

        Args:
            method: GET, PUT, POST or DELETE.
            path: below `url`.
            body: bytes as they are, everything else as JSON.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        words = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        try:
            connection.request(method, path, data, {"Authorization": f"Basic {words}"})
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {told[:500]!r}"
        is_json = "json" in answer.headers.get("Content-Type", "")
        return json.loads(told) if is_json and told else told

    def know(self, name: str, ae_title: str, port: int, **options: object) -> None:
        """Tell it of a DICOM system on 127.0.0.1, to which it may then send and answer.

        Args:
            name: by which its REST calls the system, as `/modalities/NAME/store`.
            ae_title: of the system.
            port: on which the system listens.
            **options: Orthanc's own, as `UseDicomTls=True`.
        """
        self.ask(
            "PUT",
            f"/modalities/{name}",
            {"AET": ae_title, "Host": "127.0.0.1", "Port": port, **options},
        )

    def keep(self, data: bytes) -> str:
        """Put a DICOM file into its storage by REST; return Orthanc's name of the instance."""
        told = self.ask("POST", "/instances", data)
        assert isinstance(told, dict), told
        return str(told["ID"])

    def send(self, name: str, *resources: str) -> None:
        """Let it send instances, series, studies or patients by C-STORE to a system it knows."""
        self.ask("POST", f"/modalities/{name}/store", list(resources))

    def instances(self) -> list[str]:
        """Return Orthanc's names of everything that it keeps."""
        told = self.ask("GET", "/instances")
        assert isinstance(told, list), told
        return told

    def data_of(self, instance: str) -> bytes:
        """Return the DICOM file of an instance as Orthanc keeps it."""
        told = self.ask("GET", f"/instances/{instance}/file")
        assert isinstance(told, bytes), told
        return told

    def find(self, **query: str) -> list[str]:
        """Return the instances with these values, as `find(SOPInstanceUID=...)`."""
        told = self.ask("POST", "/tools/find", {"Level": "Instance", "Query": query})
        assert isinstance(told, list), told
        return told

    def forget_everything(self) -> None:
        """Delete everything that it keeps, and every system it was told of."""
        told = self.ask("GET", "/patients")
        assert isinstance(told, list), told
        for patient in told:
            self.ask("DELETE", f"/patients/{patient}")
        known = self.ask("GET", "/modalities")
        assert isinstance(known, list), known
        for name in known:
            self.ask("DELETE", f"/modalities/{name}")

    def _settings(self) -> dict[str, object]:
        return {
            "Name": "medcxr tests",
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "TemporaryDirectory": str(self.folder / "temporary"),
            "Plugins": [str(self.plugin)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": self.ae_title,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {self.user: self.password},
            "OrthancExplorerEnabled": False,
            "WebDavEnabled": False,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomAssociationCloseDelay": 0,
            "DicomModalities": {},
            "DicomModalitiesInDatabase": False,
            "ConcurrentJobs": 1,
            "SaveJobs": False,
            "StableAge": 1,
            "HttpThreadsCount": 8,
            "MaximumStorageCacheSize": 16,
        }


def require_orthanc() -> tuple[Path, Path]:
    """Return Orthanc and its DICOMweb; without them skip the test, but fail in CI."""
    found = shutil.which("Orthanc", path=os.environ.get("PATH", "") + ":/usr/sbin")
    plugins = sorted(_PLUGINS.glob("libOrthancDicomWeb*.so"))
    if sys.platform == "win32" or found is None or not plugins:
        words = "no Orthanc, or no DICOMweb for it: install orthanc and orthanc-dicomweb"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return Path(found), plugins[-1]


@contextmanager
def running_orthanc(**settings: object) -> Iterator[OrthancServer]:
    """Run a server of one's own as long as the context lasts.

    Args:
        **settings: Orthanc's, beside or instead of those in `_settings`: `SslEnabled=True,
            SslCertificate=...`, `DicomTlsEnabled=True`.
    """
    program, plugin = require_orthanc()
    folder = Path(tempfile.mkdtemp(prefix="medcxr-orthanc-"))
    for name in ("storage", "temporary"):
        (folder / name).mkdir()
    server = OrthancServer(folder, program, plugin, dict(settings))
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(n: int) -> list[int]:
    probes = [socket.socket() for _ in range(n)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
