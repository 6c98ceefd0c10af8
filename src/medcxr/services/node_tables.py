"""Tables of the node's settings, read strictly: a key that is not known is an error."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from cattrs import BaseValidationError, Converter, transform_error

from medcxr.core.errors import DataError
from medcxr.core.exact import exact_converter

__all__ = ["structured"]


def structured(plain: Mapping[str, object], kind: type[Any], table: str) -> Any:  # noqa: ANN401
    """Return a table of the node's settings as a value; what it leaves out keeps its default.

    Args:
        plain: the table, as TOML is read.
        kind: a dataclass of numbers, texts, flags, paths and tuples of texts.
        table: its name, for messages.

    Raises:
        DataError: a key is unknown or a value of another kind, empty or no number.
    """
    try:
        made = _converter().structure(plain, kind)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error, path=table))
        raise DataError(f"[{table}] of the node's settings: {reasons}. Correct the key.") from error
    for name in made.__slots__:
        value = getattr(made, name)
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(one, str) and not one.strip() for one in texts):
            raise DataError(f"{name} in [{table}] is or holds an empty text; take it out.")
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(f"{name} in [{table}] is no number; give one.")
    return made


def _converter() -> Converter:
    converter = exact_converter(bool, int, str)
    converter.register_structure_hook(float, lambda value, _: _number(value))
    converter.register_structure_hook(Path, lambda value, _: Path(_text(value)))
    converter.register_structure_hook_func(
        lambda kind: kind == float | None, lambda value, _: _number(value)
    )
    converter.register_structure_hook_func(
        lambda kind: kind == Path | None, lambda value, _: Path(_text(value))
    )
    converter.register_structure_hook_func(
        lambda kind: kind == tuple[str, ...], lambda value, _: _texts(value)
    )
    return converter


def _number(value: object) -> float:
    if type(value) not in (int, float):  # TOML's 10 is meant as 10.0
        raise ValueError("not a number")
    return float(cast("float", value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - what cattrs looks for
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("not a list")  # noqa: TRY004 - as above
    return tuple(_text(one) for one in value)
