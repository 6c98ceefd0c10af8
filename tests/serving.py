"""The HTTP API on a port of this computer, and programs that ask it."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn

from medcxr.core.access import Permission, Role
from medcxr.services.database import workspace_database
from medcxr.services.tokens import make_token
from medcxr.services.workspace import Workspace
from medcxr.storage.tables import users


def add_user(workspace: Workspace, name: str, role: Role, *, is_active: bool = True) -> None:
    """Add a user as the database keeps one; nobody signs in by this password hash."""
    now = datetime.now(UTC)
    row = {
        "name": name,
        "name_folded": name.casefold(),
        "role": role.value,
        "password_hash": "none",
        "must_change": 0,
        "is_active": int(is_active),
        "failures": 0,
        "created_at": now,
        "password_changed_at": now,
    }
    with workspace_database(workspace).writing() as connection:
        connection.execute(users.insert().values(row))


def secret_for(workspace: Workspace, user: str, *scopes: Permission) -> str:
    """Make a token of a user."""
    return make_token(workspace, user, name="test", scopes=scopes).secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        """Return the body, which must be JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Something that asks a server."""

    port: int
    secret: str | None = None

    def ask(self, method, path, body=None, *, headers=None, **more) -> Answer:
        """Send one request on a connection of its own; `more` are headers by their names."""
        sent = dict(headers or {})
        if self.secret is not None:
            sent.setdefault("Authorization", f"Bearer {self.secret}")
        if isinstance(body, dict | list):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        sent |= {name.replace("_", "-"): value for name, value in more.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(status=answer.status, headers=names, body=answer.read())
        finally:
            connection.close()

    def send_file(self, data, *, name="file.png", field="file", query="") -> Answer:
        """Send a radiograph to be analyzed."""
        body = form(data, name=name, field=field)
        kind = {"Content-Type": "multipart/form-data; boundary=limit"}
        return self.ask("POST", f"/v1/analyses{query}", body, headers=kind)


def form(data: bytes, *, name: str = "file.png", field: str = "file") -> bytes:
    """Return a form with one file."""
    head = f'--limit\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--limit--\r\n"


@contextmanager
def served(app, **options) -> Iterator[int]:
    """Serve an application in a thread and yield its port."""
    options = {"lifespan": "on", "log_level": "warning", "ws": "none"} | options
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        expiry = time.monotonic() + 20
        while not server.started and time.monotonic() < expiry:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
