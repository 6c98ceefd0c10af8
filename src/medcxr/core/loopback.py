"""Which addresses only this computer can connect to."""

from ipaddress import ip_address

__all__ = ["is_loopback"]


def is_loopback(address: str) -> bool:
    """Tell whether only this computer can connect to an address (127.0.0.0/8, ::1, localhost)."""
    name = address.strip().lower().removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False  # a name: who knows where it leads
