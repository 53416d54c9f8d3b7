"""Mends written in transactions: each row only while it is as it was read, each mend whole or not.

A transaction is the one call of DynamoDB that takes many rows and a condition for each, also on a
row that it does not write. What fails of it is left out, and the rest is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from botocore.exceptions import ClientError

from ops.errors import code_of
from ops.paced import ATTEMPTS, PacedTables
from ops.repair.decisions import Mend, Table, Value, Write

ACTIONS: Final = 25
"""Rows in one transaction. A hundred are allowed; a live Lambda that writes one of them in the same
moment has to try again, so it is better to be done soon."""
KEYS: Final[Mapping[Table, str]] = {
    "connections": "connectionId",
    "subscriptions": "subscriptionId",
}
TOPICS_LIMIT: Final = 50
"""Subscriptions that a connection may have."""

Outcome = Literal["mended", "changed meanwhile", "always being written"]


def batches(mends: Sequence[Mend]) -> Iterator[list[Mend]]:
    """Mends in groups that fit into one transaction; none has a row twice."""
    batch: list[Mend] = []
    rows: set[tuple[str, str]] = set()
    for mend in mends:
        its = {(write.table, write.key) for write in mend.writes}
        if batch and (len(rows) + len(its) > ACTIONS or rows & its):
            yield batch
            batch, rows = [], set()
        batch.append(mend)
        rows |= its
    if batch:
        yield batch


def commit(tables: PacedTables, names: Mapping[Table, str], batch: list[Mend]) -> list[Outcome]:
    """Do these mends, and say what became of each. Raises ClientError when throttling lasts."""
    outcomes: dict[int, Outcome] = {}
    attempt = 0
    while left := [number for number in range(len(batch)) if number not in outcomes]:
        items = [_item(write, names) for number in left for write in batch[number].writes]
        try:
            tables.call("transact_write_items", TransactItems=items)
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            tables.spend(2 * len(items))
            codes = _codes(error, [len(batch[number].writes) for number in left])
            if not any(codes):
                raise
            changed = [
                n for n, its in zip(left, codes, strict=True) if "ConditionalCheckFailed" in its
            ]
            outcomes |= dict.fromkeys(changed, "changed meanwhile")
            if changed:
                continue
            attempt += 1
            if attempt < ATTEMPTS:
                tables.pause(attempt)
                continue
            conflicting = [
                n for n, its in zip(left, codes, strict=True) if "TransactionConflict" in its
            ]
            if not conflicting:
                raise
            outcomes |= dict.fromkeys(conflicting, "always being written")
            attempt = 0
        else:
            outcomes |= dict.fromkeys(left, "mended")
    return [outcomes[number] for number in range(len(batch))]


_PASSING: Final = frozenset(
    {
        "ConditionalCheckFailed",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)


def _codes(error: ClientError, sizes: Sequence[int]) -> list[set[str]]:
    """For each mend the codes of its writes that say why there was no transaction.

    Empty sets alone where the reason is none that a further try, or leaving a row out, would end.
    """
    reasons: list[Mapping[str, Any]] = list(error.response.get("CancellationReasons", ()))
    codes = [str(reason.get("Code", "None")) for reason in reasons]
    if any(code not in _PASSING | {"None"} for code in codes):
        return [set() for _ in sizes]
    found: list[set[str]] = []
    start = 0
    for size in sizes:
        found.append(set(codes[start : start + size]) & _PASSING)
        start += size
    return found


def _item(write: Write, tables: Mapping[Table, str]) -> dict[str, Any]:
    """A write as an action of TransactWriteItems."""
    key_name = KEYS[write.table]
    names = {"#key": key_name}
    values: dict[str, Any] = {}
    conditions = [f"attribute_{'not_' if write.absent else ''}exists(#key)"]
    for position, (name, value) in enumerate(write.expected.items()):
        names[f"#e{position}"] = name
        if value is None:
            conditions.append(f"attribute_not_exists(#e{position})")
        elif isinstance(value, str | bool | float):
            values[f":e{position}"] = _typed(value)
            conditions.append(f"#e{position} = :e{position}")
        else:
            conditions.append(f"attribute_exists(#e{position})")
    action: dict[str, Any] = {"TableName": tables[write.table]}
    key = {key_name: {"S": write.key}}
    if write.action == "create":
        action["Item"] = key | {name: _typed(value) for name, value in write.values.items()}
    else:
        action["Key"] = key
    if write.action == "update":
        assignments: list[str] = []
        for position, (name, value) in enumerate(write.values.items()):
            names[f"#v{position}"] = name
            values[f":v{position}"] = _typed(value)
            assignments.append(f"#v{position} = :v{position}")
        expression = "SET " + ", ".join(assignments)
        if write.topic:
            names["#topics"] = "subscribedTopics"
            values |= {":topics": {"SS": [write.topic]}, ":limit": {"N": str(TOPICS_LIMIT)}}
            expression += " ADD #topics :topics"
            conditions.append("(attribute_not_exists(#topics) OR size(#topics) < :limit)")
        action["UpdateExpression"] = expression
    action["ConditionExpression"] = " AND ".join(conditions)
    action["ExpressionAttributeNames"] = names
    if values:
        action["ExpressionAttributeValues"] = values
    verb = {"create": "Put", "update": "Update", "delete": "Delete", "check": "ConditionCheck"}
    return {verb[write.action]: action}


def _typed(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": f"{value:.17g}"}
