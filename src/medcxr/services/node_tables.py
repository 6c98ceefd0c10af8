"""Tables of the node's settings, read strictly: a key that is not known is an error."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import make_converter

from medcxr.core.errors import DataError

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


def _converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    """Take every value as it is written, and none that is not known."""
    converter = make_converter(forbid_extra_keys=True)
    kinds: tuple[type, ...] = (bool, int, float, str)
    for kind in kinds:
        converter.register_structure_hook(kind, _same_kind)
    converter.register_structure_hook(Path, lambda value, _: Path(_same_kind(value, str)))
    converter.register_structure_hook_func(
        lambda kind: kind == float | None, lambda value, _: _same_kind(value, float)
    )
    converter.register_structure_hook_func(
        lambda kind: kind == Path | None, lambda value, _: Path(_same_kind(value, str))
    )
    converter.register_structure_hook_func(
        lambda kind: kind == tuple[str, ...],
        lambda value, _: tuple(_same_kind(one, str) for one in _same_kind(value, list)),
    )
    return converter


def _same_kind(value: Any, kind: type) -> Any:  # noqa: ANN401 - cattrs hooks take and give anything
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"must be a {kind.__name__}")
    return value
