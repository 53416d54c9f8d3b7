"""DynamoDB's attribute values as plain Python values, without importing boto3 for it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Value: TypeAlias = "str | int | float | bool | bytes | list[Value] | dict[str, Value] | None"
Row: TypeAlias = "dict[str, Value]"


class UnreadableItemError(Exception):
    """Something that is no DynamoDB item."""


def plain(item: Mapping[str, Any]) -> Row:
    """An item as DynamoDB and its streams give it, as a plain dict; sets become sorted lists.

    Raises UnreadableItemError.
    """
    try:
        return {name: _value(value) for name, value in item.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise UnreadableItemError("not an item") from error


def text(row: Row, name: str) -> str | None:
    """The attribute where it is a string that is not empty."""
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def number(row: Row, name: str) -> int | float | None:
    """The attribute where it is a number."""
    value = row.get(name)
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value


def texts(row: Row, name: str) -> frozenset[str]:
    """The strings in a list or set; empty where there is none."""
    value = row.get(name)
    return (
        frozenset(part for part in value if isinstance(part, str))
        if isinstance(value, list)
        else frozenset()
    )


def _value(attribute: Any) -> Value:
    ((kind, content),) = attribute.items()
    match kind:
        case "S" | "BOOL" | "B":
            return content
        case "N":
            return _number(content)
        case "NULL":
            return None
        case "M":
            return plain(content)
        case "L":
            return [_value(part) for part in content]
        case "SS" | "BS":
            return sorted(content)
        case "NS":
            return [_number(part) for part in content]
        case _:
            raise UnreadableItemError("not an attribute value")


def _number(content: str) -> int | float:
    try:
        return int(content)
    except ValueError:
        return float(content)
