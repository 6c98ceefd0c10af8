"""A small secret under a key, so that a database alone does not tell it.

Source: NIST SP 800-38D (AES-GCM with random nonces of 96 bits; a key boxes far fewer than 2**32).
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from medcxr.core.errors import AccessError

__all__ = ["BOX_KEY_BYTES", "boxed", "unboxed"]

BOX_KEY_BYTES = 32
_NONCE_BYTES = 12


def boxed(key: bytes, secret: bytes, owner: str) -> str:
    """Return a secret encrypted, Base64; in another owner's place it cannot be opened.

    Args:
        key: BOX_KEY_BYTES random bytes.
        secret: to keep.
        owner: whose it is; not in the box, and asked for when it is opened.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, secret, owner.encode())).decode()


def unboxed(key: bytes, box: str, owner: str) -> bytes:
    """Return the secret of a box.

    Raises:
        AccessError: it is no box, was changed, or belongs to another key or owner.
    """
    try:
        data = base64.b64decode(box, validate=True)
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError):
        raise AccessError(
            "The second factor cannot be read; an administrator can take it away, and it can be "
            "added anew."
        ) from None
