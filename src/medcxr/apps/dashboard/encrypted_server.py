"""Streamlit's own command, whose server encrypts as this program's others do.

Streamlit takes a certificate and a key, and leaves the suites to Python, which still has some without
authenticated encryption for TLS 1.2. Its server, uvicorn, makes what encrypts by one public function.
"""

import ssl
from os import PathLike
from pathlib import Path

import uvicorn.config
from streamlit.web.cli import main

from medcxr.security.server_certificate import server_context

__all__ = ["run"]


def run() -> None:
    """Run Streamlit by the words of the command line."""
    uvicorn.config.create_ssl_context = _context
    main()


def _context(
    certfile: str | PathLike[str],
    keyfile: str | PathLike[str] | None,
    *_others: object,
    **_more: object,
) -> ssl.SSLContext:
    return server_context(Path(certfile), Path(keyfile or certfile))


if __name__ == "__main__":
    run()
