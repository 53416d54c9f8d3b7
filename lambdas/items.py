"""DynamoDB's attribute values as plain Python values, without importing boto3 for it."""

from collections.abc import Mapping
from typing import Any


class UnreadableItemError(Exception):
    """Something that is no DynamoDB item."""


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as DynamoDB and its streams give it, as a plain dict; numbers are int or float.

    Raises UnreadableItemError.
    """
    try:
        return {name: _value(value) for name, value in item.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise UnreadableItemError("not an item") from error


def _value(attribute: Any) -> Any:
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
            return set(content)
        case "NS":
            return {_number(part) for part in content}
        case _:
            raise UnreadableItemError("not an attribute value")


def _number(content: str) -> int | float:
    try:
        return int(content)
    except ValueError:
        return float(content)
