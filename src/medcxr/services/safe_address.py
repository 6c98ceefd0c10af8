"""Whether a server may listen where other computers can reach it."""

from medcxr.core.errors import AccessError
from medcxr.core.language import Sentence
from medcxr.core.loopback import is_loopback
from medcxr.services.workspace import Workspace

__all__ = ["require_safe_address"]


def require_safe_address(workspace: Workspace, address: str) -> None:
    """Return if dashboard or API may listen on an address.

    Raises:
        AccessError: other computers could connect while the password is the public initial one.
        StorageError: they could connect, and the database cannot be used.
    """
    if is_loopback(address):
        return
    # Only now: a server for this computer alone starts sooner without the database's library.
    from medcxr.services.accounts import is_initial_password  # noqa: PLC0415

    if is_initial_password(workspace):
        raise AccessError(
            "Address {address} lets other computers connect while the password is "
            "the public initial one; change the password at 127.0.0.1 first.",
            address=address or Sentence("(all)"),
        )
