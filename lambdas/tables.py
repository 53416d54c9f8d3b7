"""Reads and writes of the shared tables, each of them one call to DynamoDB.

Attribute names in expressions are written `#name` and values `:name`, always, so that no reserved
word of DynamoDB can ever be in the way:

    tables.update(Update(connections, "id", set="#ttl = :ttl", values={"ttl": 1}, condition=EXISTS))
"""

import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from lambdas import clients
from lambdas.configuration import Table
from lambdas.items import plain
from lambdas.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

ATTEMPTS: Final = 12
"""Tries of what others get in the way of. Ten that start together have all come through by then."""

FIRST_PAUSE: Final = 0.01
LONGEST_PAUSE: Final = 0.5
"""Seconds, at most; each pause is drawn from the whole range below its limit."""

Value = str | int | float | bool | set[str] | Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Write:
    """A change of one row, under a condition."""

    table: Table
    key: str
    condition: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, kw_only=True)
class Update(Write):
    """Change attributes; creates the row unless the condition forbids it."""

    expression: str


@dataclass(frozen=True, kw_only=True)
class Delete(Write):
    """Delete the row; one that is not there is no error."""


class ConditionFailedError(Exception):
    """The condition of an update did not hold; `row` is what was there instead, if anything."""

    def __init__(self, row: Row | None) -> None:
        super().__init__("condition failed")
        self.row = row


class CancelledError(Exception):
    """A transaction did not happen: `failed` are the writes whose condition did not hold.

    When there are none, another transaction was in the way, and the same may work at once.
    """

    def __init__(self, failed: frozenset[int]) -> None:
        super().__init__(f"cancelled by the conditions of {sorted(failed)}")
        self.failed = failed


def read(*keys: tuple[Table, str]) -> list[Row | None]:
    """The rows under these keys as they are at one moment, in one call; None for one not there.

    Raises CancelledError when writers were in the way all the time.
    """
    if len(keys) == 1:
        ((table, key),) = keys
        item = (
            clients.dynamodb()
            .get_item(TableName=table.name, Key={table.key: {"S": key}}, ConsistentRead=True)
            .get("Item")
        )
        return [plain(item) if item else None]
    for last in turns():
        try:
            answers = clients.dynamodb().transact_get_items(
                TransactItems=[
                    {"Get": {"TableName": table.name, "Key": {table.key: {"S": key}}}}
                    for table, key in keys
                ]
            )["Responses"]
        except ClientError as error:
            cancelled = _cancelled(error)
            if last:
                raise cancelled from error
            continue
        items = [answer.get("Item") for answer in answers]
        return [plain(item) if item else None for item in items]
    raise AssertionError


def update(change: Update) -> Row:
    """Update one row and return all of it. Raises ConditionFailedError."""
    try:
        answer = clients.dynamodb().update_item(
            **_parameters(change),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if _code(error) != "ConditionalCheckFailedException":
            raise
        item = cast("Mapping[str, Any] | None", error.response.get("Item"))
        raise ConditionFailedError(plain(item) if item else None) from error
    return plain(answer.get("Attributes", {}))


def commit(writes: Sequence[Write]) -> None:
    """Do all writes or none, in one call. Raises CancelledError."""
    try:
        clients.dynamodb().transact_write_items(TransactItems=[_item(write) for write in writes])
    except ClientError as error:
        raise _cancelled(error) from error


def commit_patiently(writes: Sequence[Write]) -> None:
    """Commit, and try again while nothing but other transactions is in the way."""
    for last in turns():
        try:
            return commit(writes)
        except CancelledError as cancelled:
            if cancelled.failed or last:
                raise
    return None


def query_index(
    table: Table, index: str, attribute: str, value: str, *, limit: int | None = None
) -> Iterator[Row]:
    """The rows of an index under a hash key; eventually consistent.

    All of them, however many pages they fill, or the last `limit` of its range key.
    """
    pages = (
        clients.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=table.name,
            IndexName=index,
            KeyConditionExpression="#hash = :hash",
            ExpressionAttributeNames={"#hash": attribute},
            ExpressionAttributeValues={":hash": {"S": value}},
            ScanIndexForward=limit is None,
            PaginationConfig={} if limit is None else {"MaxItems": limit},
        )
    )
    for page in pages:
        yield from map(plain, page["Items"])


def turns() -> Iterator[bool]:
    """One item for each try of what others may get in the way of; True for the last.

    Pauses in between, each at random, so that those who met part.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
            time.sleep(random.uniform(0, longest))  # noqa: S311
        yield attempt == ATTEMPTS - 1


def _item(write: Write) -> "TransactWriteItemTypeDef":
    parameters = _parameters(write)
    return {"Update": parameters} if isinstance(write, Update) else {"Delete": parameters}


def _parameters(write: Write) -> Any:
    parameters: dict[str, Any] = {
        "TableName": write.table.name,
        "Key": {write.table.key: {"S": write.key}},
    }
    expressions: list[str] = []
    if isinstance(write, Update):
        parameters["UpdateExpression"] = write.expression
        expressions.append(write.expression)
    if write.condition is not None:
        parameters["ConditionExpression"] = write.condition
        expressions.append(write.condition)
    text = " ".join(expressions)
    if names := _NAME.findall(text):
        parameters["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    used = set(_VALUE.findall(text))
    if values := {f":{k}": attribute(v) for k, v in write.values.items() if k in used}:
        parameters["ExpressionAttributeValues"] = values
    return parameters


def attribute(value: Value) -> dict[str, Any]:
    """A plain Python value as DynamoDB's attribute value."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case set():
            return {"SS": sorted(value)}
        case Mapping():
            return {"M": {name: attribute(item) for name, item in value.items()}}
        case _:
            return {"L": [attribute(item) for item in value]}


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _cancelled(error: ClientError) -> CancelledError:
    """What cancelled a transaction. Raises the error itself when it was something else."""
    if _code(error) != "TransactionCanceledException":
        raise error
    reasons = cast("Sequence[Mapping[str, str]]", error.response.get("CancellationReasons", ()))
    codes = [reason.get("Code", "None") for reason in reasons]
    if not set(codes) <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
        # Throttled, or refused for what it is: nothing that another try right now would change.
        raise error
    return CancelledError(
        frozenset(i for i, code in enumerate(codes) if code == "ConditionalCheckFailed")
    )


_NAME: Final = re.compile(r"#(\w+)")
_VALUE: Final = re.compile(r":(\w+)")
