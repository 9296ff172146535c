"""The spellings of one setting: templates begin names with a capital, the JSON services with a small letter."""

from collections.abc import Callable
from typing import Any


def camel(value: Any) -> Any:
    """The value with every key spelled as a JSON service does."""
    return _respelled(value, str.lower)


def pascal(value: Any) -> Any:
    """The value with every key spelled as a template does."""
    return _respelled(value, str.upper)


def typed(value: Any) -> Any:
    """The value with booleans that a template wrote as text turned into booleans."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return value == "true" if value in ("true", "false") else value


def _respelled(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_respelled(item, spell) for item in value]
    if isinstance(value, dict):
        return {spell(key[:1]) + key[1:]: _respelled(item, spell) for key, item in value.items()}
    return value
