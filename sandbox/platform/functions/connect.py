"""The platform's `$connect`: it records the connection, and takes everybody for a customer.

That is the live platform's defect, kept on purpose: whatever `entityType` the client sends along,
the row says `customer`, and no token is verified.
"""

import os
import time
from datetime import UTC, datetime
from typing import Any

import boto3

_DAY = 24 * 60 * 60
_dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the row of a connection that opens."""
    context = event["requestContext"]
    query = event.get("queryStringParameters") or {}
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = {
        "connectionId": {"S": context["connectionId"]},
        "connectedAt": {"S": now},
        "lastHeartbeat": {"S": now},
        "entityType": {"S": "customer"},
        "connectionType": {"S": "REAL"},
        "isActive": {"BOOL": True},
        "ttl": {"N": str(int(time.time()) + _DAY)},
    }
    for claimed in ("userId", "businessId"):
        if query.get(claimed):
            row[claimed] = {"S": query[claimed]}
    _dynamodb.put_item(TableName=os.environ["WEBSOCKET_CONNECTIONS_TABLE"], Item=row)
    return {"statusCode": 200, "body": "Connected"}
