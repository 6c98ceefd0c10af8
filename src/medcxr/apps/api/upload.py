"""A radiograph that comes in as a form, held in memory and never laid into a file."""

from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from medcxr.apps.api.limits import Limits
from medcxr.apps.api.problems import ProblemError

__all__ = ["UPLOAD_BODY", "read_upload"]

_FIELD = "file"

UPLOAD_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [_FIELD],
                "additionalProperties": False,
                "properties": {
                    _FIELD: {
                        "type": "string",
                        "format": "binary",
                        "description": "A DICOM, PNG, JPEG or TIFF file of one radiograph",
                    }
                },
            }
        }
    },
}
"""How the body is described to programs."""


async def read_upload(request: Request, limits: Limits) -> tuple[str, bytes]:
    """Return the name and the bytes of the one file of a form.

    Raises:
        ProblemError: the body is no form, or does not hold one file named "file" and nothing else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "form",
            'The radiograph must come as multipart/form-data, in a field "file".',
        )
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=0)
    # Starlette lays larger files into the folder for temporary ones; none is larger than this.
    parser.spool_max_size = limits.file_bytes + limits.frame_bytes
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _not_one_file() from error
    file = form.get(_FIELD)
    try:
        if len(form.multi_items()) != 1 or not isinstance(file, UploadFile):
            raise _not_one_file()
        return file.filename or "", await file.read()
    finally:
        await form.close()


def _not_one_file() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "form",
        'The form must hold one file, named "file", and nothing else; send one radiograph a request.',
    )
