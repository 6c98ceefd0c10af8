"""What can go wrong, one class per remedy.

MedcxrError
├── ImageError     this image cannot be used; choose or export another one
│   └── DecodingError      reading it broke off; try again, else export it again
│       └── NoDecoderError nothing can be read now; free memory
├── DataError      this table, label or configuration is wrong; correct it
├── ModelError     this model bundle is missing, damaged or unfit; install or choose another one
├── AccessError    sign in, change the password or ask for permission
├── StorageError   the workspace cannot be read or written; free space or mend permissions
│   └── DiskFull   there is no space left; free some
├── RemoteError    another system does not answer as it should; mend the connection or its settings
└── MissingExtra   an optional part is not installed; install the named extra
"""

from medcxr.core.language import Sentence

__all__ = [
    "AccessError",
    "DataError",
    "DecodingError",
    "DiskFull",
    "ImageError",
    "MedcxrError",
    "MissingExtra",
    "ModelError",
    "NoDecoderError",
    "RemoteError",
    "StorageError",
]


class MedcxrError(Exception):
    """Say what went wrong, with which thing, and what to do.

        raise ImageError("The file is larger than {limit} MiB.", limit=128)

    The message is English, for logs and terminals; `say(error.sentence)` tells it to a reader.

    Args:
        words: in English, with the names of values in braces.
        values: by name; without any, braces mean themselves.
    """

    def __init__(self, words: str = "", /, **values: object) -> None:
        known = words if isinstance(words, Sentence) else Sentence(words, **values)
        super().__init__(known)

    @property
    def sentence(self) -> Sentence:
        """Return the message, which can be said in any language."""
        message: Sentence = self.args[0]
        return message


class ImageError(MedcxrError):
    """An image cannot be used."""


class DecodingError(ImageError):
    """Reading a file broke off or took too long: the file is to blame, or a computer in need."""


class NoDecoderError(DecodingError):
    """The process that reads files could not be started; no file is to blame."""


class DataError(MedcxrError):
    """A table, label or configuration is wrong."""


class ModelError(MedcxrError):
    """A model bundle is missing, damaged or unfit."""


class AccessError(MedcxrError):
    """Access is not allowed."""


class StorageError(MedcxrError):
    """The workspace cannot be read or written."""


class DiskFull(StorageError):  # noqa: N818 - named after the remedy
    """There is no space left."""


class RemoteError(MedcxrError):
    """Another system does not answer, refuses, or answers what cannot be."""


class MissingExtra(MedcxrError):  # noqa: N818 - named after the remedy
    """An optional part is not installed."""
