"""JSON text that shows by itself whether a byte of it was changed.

The last member of the object is the SHA-256 of the text without it. It tells damage, not who wrote
the text: whoever changes it on purpose can also write another digest.
"""

import hashlib
import re

__all__ = ["is_intact", "sealed", "without_seal"]

_NAME = "sha256"
_END = "\n}\n"
_SEAL = re.compile(rf',\n  "{_NAME}": "([0-9a-f]{{64}})"\n}}\n\Z')


def sealed(text: str) -> str:
    """Return a JSON object, as `json.dumps` indents it by 2, with its digest as the last member."""
    if not text.endswith(_END):
        raise ValueError("Only an indented JSON object that ends with a line break can be sealed.")
    return f'{text.removesuffix(_END)},\n  "{_NAME}": "{_digest(text)}"{_END}'


def without_seal(text: str) -> str:
    """Return the text as it was before it was sealed; one that is not sealed stays as it is."""
    return _SEAL.sub(_END, text)


def is_intact(text: str) -> bool:
    """Tell whether a sealed text is what was sealed; True for one that has no seal.

    A seal that was itself damaged is no seal, and its name is one that no reader expects.
    """
    seal = _SEAL.search(text)
    return seal is None or seal[1] == _digest(without_seal(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
