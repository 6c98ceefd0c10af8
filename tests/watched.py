"""Processes of the program that are watched: what they connect to, and all that they say."""

import os
import sys
from pathlib import Path

from pydicom import dcmread

from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

__all__ = [
    "SECRETS",
    "connections",
    "environment_of_users",
    "files_with_secrets",
    "is_local",
    "watched_environment",
    "write_patient",
]

SECRETS = {
    "PatientName": "Zweigert^Hildburga",
    "PatientID": "KH-77120934-Q",
    "AccessionNumber": "ACC5519207731",
    "PatientBirthDate": "19320917",
    "ReferringPhysicianName": "Obermoser^Quirin",
    "InstitutionName": "Spital Hintertupfing",
    "StudyDescription": "Kontrolle nach Xyphoidbruch",
    "OtherPatientIDs": "WXQ-4410983",
}
"""Keyword -> what a file says and nothing else may."""

_AUTOMATION = {
    "APPVEYOR",
    "BUILD_ID",
    "BUILD_NUMBER",
    "CI",
    "CIRCLECI",
    "CODEBUILD_BUILD_ID",
    "CONTINUOUS_INTEGRATION",
    "GITLAB_CI",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
}


def write_patient(path: Path) -> Path:
    """Write a simulated radiograph that says that it is of somebody."""
    write_dicom(simulate(ThoraxParameters(), size=320), path, patient=1)
    dataset = dcmread(path)
    for keyword, value in SECRETS.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def environment_of_users() -> dict[str, str]:
    """Return the environment without what makes libraries keep silent in tests alone."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _AUTOMATION and not name.startswith(("ORT_", "GITHUB_", "JENKINS_"))
    }


def watched_environment(record: Path) -> dict[str, str]:
    """Return the environment in which every Python writes connections down and logs everything."""
    record.touch()
    start = Path(__file__).with_name("watched_start")
    paths = [str(start), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **environment_of_users(),
        "PYTHONPATH": os.pathsep.join(paths),
        "WATCHED_RECORD": str(record),
    }


def connections(record: Path) -> list[str]:
    """Return what was tried to reach, one line for each."""
    return record.read_text().splitlines()


def is_local(connection: str) -> bool:
    """Tell whether a line of `connections` names this computer, or a socket in its files."""
    event, _, told = connection.partition(" ")
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return told in ("'127.0.0.1'", "'localhost'", "'::1'", "None", "''", "b'127.0.0.1'")
    local = ("('127.0.0.1',", "('::1',", "'/", "b'/", "'\\x00", "b'\\x00", "0")
    return told.startswith(local) or sys.platform == "win32"


def files_with_secrets(*folders: Path) -> list[str]:
    """Return which files hold which of the secrets, in any common encoding of letters."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if not path.is_file():
                continue
            data = path.read_bytes()
            found += [
                f"{path}: {part}"
                for value in SECRETS.values()
                for part in {value, value.replace("^", ", "), *value.split("^")}
                if any(part.encode(code) in data for code in ("utf-8", "utf-16-le"))
            ]
    return found
