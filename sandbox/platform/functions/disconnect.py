"""The platform's `$disconnect`: it removes the connection's row and leaves its subscriptions."""

import os
from typing import Any

import boto3

_dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Delete the row of a connection that closed."""
    _dynamodb.delete_item(
        TableName=os.environ["WEBSOCKET_CONNECTIONS_TABLE"],
        Key={"connectionId": {"S": event["requestContext"]["connectionId"]}},
    )
    return {"statusCode": 200, "body": "Disconnected"}
