"""An address as a QR code, drawn as SVG."""

import segno

__all__ = ["qr_svg"]


def qr_svg(address: str, *, told: str) -> str:
    """Return a QR code as an SVG element, dark on light whatever the page's theme.

    Args:
        address: what it holds.
        told: its title, for whoever does not see it.
    """
    code = segno.make_qr(address, error="m")
    drawn: str = code.svg_inline(scale=5, border=4, dark="#000", light="#fff", title=told)
    return drawn
