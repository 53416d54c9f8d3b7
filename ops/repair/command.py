"""`python -m ops repair`: finds what the former handler left, and mends it on --apply."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.progress import Progress

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError, code_of, refused
from ops.repair.decide import Fix, connection_fixes, merchants, subscription_fixes
from ops.status.tables import pages

_CONNECTION = (
    *("connectionId", "businessId", "entityType", "userId", "connectedAt", "ttl"),
    "isVirtualConnection",
)
_SUBSCRIPTION = (
    *("subscriptionId", "connectionId", "businessId", "entityType", "userType", "topic"),
    *("subscriptionType", "entityId", "ttl"),
)
_KEYS = {"connections": "connectionId", "subscriptions": "subscriptionId"}


@click.command()
@stack_options
@click.option("--apply", "apply_fixes", is_flag=True, help="Mend; without it nothing is written.")
@click.option("--profile", help="The AWS profile to use.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
def repair(deployed: Deployed, apply_fixes: bool, profile: str | None, as_json: bool) -> None:
    """Find the rows that the former handler left wrong; with --apply, mend them.

    Every write is conditional on what was read, so a run that was broken off is simply run again:
    what is mended is found no more, and what changed meanwhile is left alone.
    """
    try:
        client = deployed.client("dynamodb", profile=profile)
        fixes = _find(client, deployed)
        outcome = _apply(client, deployed, fixes, quiet=as_json) if apply_fixes else Counter[str]()
    except ClientError as error:
        raise refused(error) from error
    except BotoCoreError as error:
        raise OperatorError(f"AWS could not be asked: {error}") from error
    found = Counter[str](fix.kind for fix in fixes)
    if as_json:
        report = {"applied": apply_fixes, "found": dict(found), "outcome": dict(outcome)}
        rows = [{"kind": fix.kind, "table": fix.table, "key": fix.key} for fix in fixes]
        click.echo(json.dumps(report | {"rows": rows}, indent=2))
        return
    for fix in fixes:
        click.echo(f"{fix.kind:<22} {fix.table:<14} {fix.key}")
    click.echo(", ".join(f"{count} {kind}" for kind, count in found.items()) or "nothing to mend")
    if apply_fixes:
        click.echo(", ".join(f"{count} {what}" for what, count in outcome.items()) or "no writes")
    elif fixes:
        click.echo("nothing was written; run again with --apply to mend these rows")


def _find(client: Any, deployed: Deployed) -> list[Fix]:
    now = time.time()
    connections = list(pages(client, deployed.connections_table, _CONNECTION))
    merchant_rows = merchants(connections, now)
    live = {str(row["connectionId"]) for row in connections}
    subscriptions = pages(client, deployed.subscriptions_table, _SUBSCRIPTION)
    return [
        *connection_fixes(merchant_rows),
        *subscription_fixes(subscriptions, merchant_rows, live, now),
    ]


def _apply(client: Any, deployed: Deployed, fixes: list[Fix], *, quiet: bool) -> Counter[str]:
    tables = {
        "connections": deployed.connections_table,
        "subscriptions": deployed.subscriptions_table,
    }
    outcome = Counter[str]()
    with Progress(disable=quiet) as progress:
        for fix in progress.track(fixes, description="mending"):
            try:
                _write(client, tables[fix.table], fix)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                outcome["changed meanwhile, left alone"] += 1
            else:
                outcome["mended"] += 1
    return outcome


def _write(client: Any, table: str, fix: Fix) -> None:
    key = {_KEYS[fix.table]: {"S": fix.key}}
    if fix.creates:
        client.put_item(
            TableName=table,
            Item=key | {name: _typed(value) for name, value in fix.values.items()},
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": _KEYS[fix.table]},
        )
        return
    names = {"#key": _KEYS[fix.table]}
    values: dict[str, Any] = {}
    conditions = ["attribute_exists(#key)"]
    for position, (name, value) in enumerate(fix.expected.items()):
        names[f"#e{position}"] = name
        values[f":e{position}"] = {"S": value}
        conditions.append(f"#e{position} = :e{position}")
    if not fix.values:
        client.delete_item(
            TableName=table,
            Key=key,
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeNames=names,
            **_optional(values),
        )
        return
    assignments: list[str] = []
    for position, (name, value) in enumerate(fix.values.items()):
        names[f"#v{position}"] = name
        values[f":v{position}"] = _typed(value)
        assignments.append(f"#v{position} = :v{position}")
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET " + ", ".join(assignments),
        ConditionExpression=" AND ".join(conditions),
        ExpressionAttributeNames=names,
        **_optional(values),
    )


def _optional(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"ExpressionAttributeValues": values} if values else {}


def _typed(value: str | float | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": f"{value:.0f}"}
