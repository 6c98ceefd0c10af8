"""An address as a QR code, drawn as SVG."""

import io

import segno

__all__ = ["qr_svg"]


def qr_svg(address: str, *, told: str) -> str:
    """Return a QR code as an SVG picture, dark on light whatever the page's theme.

    Args:
        address: what it holds.
        told: its title, for whoever does not see it.
    """
    picture = io.BytesIO()
    segno.make_qr(address, error="m").save(
        picture,
        kind="svg",
        scale=5,
        border=4,  # modules; ISO/IEC 18004 asks for four
        dark="#000",
        light="#fff",
        title=told,
        xmldecl=False,
    )
    return picture.getvalue().decode()
