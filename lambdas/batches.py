"""BatchGetItem and BatchWriteItem within their limits, with another try for what is left over."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import sleep
from typing import Any, Final, TypeVar

from lambdas import clients
from lambdas.items import plain

GET_LIMIT: Final = 100
"""Keys of one BatchGetItem."""

WRITE_LIMIT: Final = 25
"""Requests of one BatchWriteItem."""

ATTEMPTS: Final = 5
FIRST_PAUSE: Final = 0.05
"""Seconds; each further pause is up to twice as long."""

_T = TypeVar("_T")


class LeftOverError(Exception):
    """DynamoDB was too busy for part of a batch, also after several tries."""

    def __init__(self, table: str, count: int) -> None:
        super().__init__(f"{count} requests to {table} were left over")
        self.table = table
        self.count = count


def get(
    table: str, key: str, ids: Iterable[str], attributes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The rows with these ids, by id, read consistently and with these attributes only.

    Raises LeftOverError.
    """
    found: dict[str, dict[str, Any]] = {}
    names = {f"#{position}": name for position, name in enumerate((key, *attributes))}
    for share in shares(sorted(set(ids)), GET_LIMIT):
        request = {
            "Keys": [{key: {"S": one}} for one in share],
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
        }
        pending: Mapping[str, Any] = {table: request}
        for pause in _pauses():
            answer = clients.dynamodb().batch_get_item(RequestItems=pending)
            for item in answer.get("Responses", {}).get(table, []):
                row = plain(item)
                found[str(row[key])] = row
            pending = answer.get("UnprocessedKeys", {})
            if not pending:
                break
            sleep(pause)
        else:
            raise LeftOverError(table, len(pending[table]["Keys"]))
    return found


def delete(table: str, key: str, ids: Iterable[str]) -> None:
    """Delete the rows with these ids; one that is not there is no error. Raises LeftOverError."""
    for share in shares(sorted(set(ids)), WRITE_LIMIT):
        requests = [{"DeleteRequest": {"Key": {key: {"S": one}}}} for one in share]
        pending: Mapping[str, Any] = {table: requests}
        for pause in _pauses():
            answer = clients.dynamodb().batch_write_item(RequestItems=pending)
            pending = answer.get("UnprocessedItems", {})
            if not pending:
                break
            sleep(pause)
        else:
            raise LeftOverError(table, len(pending[table]))


def _pauses() -> Iterator[float]:
    for attempt in range(ATTEMPTS):
        yield FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1)  # noqa: S311


def shares(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while share := list(islice(rest, size)):
        yield share
