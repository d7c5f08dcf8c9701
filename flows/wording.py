"""Words for people: what is wrong with a recipe, one sentence a key, made of what pydantic found; and counts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_WANTED = {
    "bool_type": "true or false",
    "datetime_from_date_parsing": "a date such as 2025-02-07",
    "datetime_parsing": "a date such as 2025-02-07",
    "datetime_type": "a date such as 2025-02-07, without quotes",
    "dict_type": "a table of its own",
    "finite_number": "a number",
    "float_type": "a number",
    "greater_than": "over {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "less_than": "under {lt:g}",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list, in square brackets",
    "literal_error": "{expected}",
    "model_type": "a table of its own: [{table}]",
    "string_type": "a text, in quotes",
    "too_short": "a list of at least {min_length}",
}

_PATTERNS = {
    r"^https?://[^\s/]+": "an address such as https://news.example/",
    r"^[a-z][a-z0-9+]*://[^\s]+$": "a folder's address such as s3://bucket/prefix",
    r"^[a-z]{2,3}$": 'a code of two or three letters, such as "en"',
}

_KINDS = ("literal[", "constrained-", "function-after[")
"""How pydantic's names begin of the kinds that a value may have; they follow the key."""

_LONGEST = 100

Error = Mapping[str, Any]
Allowed = Callable[[Sequence[Any]], Sequence[str]]


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 article", "2 articles"; `many` where it is not made by an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sentences(errors: Sequence[Error], allowed: Allowed) -> list[str]:
    """One sentence for each key that is wrong, in the order of the errors.

    Args:
        errors: as pydantic's `ValidationError.errors()` gives them; a key of several kinds has one for each kind.
        allowed: gives the keys of the table at a place.
    """
    by_key: dict[str, list[Error]] = {}
    for error in errors:
        by_key.setdefault(_key(error["loc"]), []).append(error)
    return [_sentence(key, found, allowed) for key, found in by_key.items()]


def _key(loc: Sequence[Any]) -> str:
    """The key as the recipe's author knows it: `topic.threshold`, `sources.feeds[2]`."""
    named = ""
    for part in loc:
        if isinstance(part, int):
            named += f"[{part + 1}]"
        elif not part.startswith(_KINDS):
            named += f".{part}" if named else part
    return named


def _sentence(key: str, errors: Sequence[Error], allowed: Allowed) -> str:
    first = errors[0]
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key; allowed here: {', '.join(allowed(first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"{key}: missing, and needed"
    said = " or ".join(dict.fromkeys(_said(error, key) for error in errors)).replace(" or must be ", " or ")
    if not key:
        return said
    found = first["input"]
    return f"{key}: {said}" + ("" if isinstance(found, dict) else f"; found {_shown(found)}")


def _said(error: Error, key: str) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    context = error.get("ctx", {})
    wanted = _PATTERNS.get(context.get("pattern", "")) or _WANTED.get(error["type"])
    return f"must be {wanted.format(table=key, **context)}" if wanted else str(error["msg"])


def _shown(value: Any) -> str:
    """A value as TOML writes it, cut short."""
    text = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
