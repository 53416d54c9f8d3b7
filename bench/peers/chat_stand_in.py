"""A Lambda that broadcasts as AWS's simple chat sample does, for who has not got the sample."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

AT_ONCE = 50
"""Connections that the JavaScript SDK opens to one host at most."""

dynamodb = boto3.client("dynamodb")
management = boto3.client(
    "apigatewaymanagementapi",
    endpoint_url=os.environ["ENDPOINT"],
    config=Config(max_pool_connections=AT_ONCE),
)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Post the data of the message to every row of the table of connections."""
    data = json.loads(event["body"])["data"].encode()
    found = dynamodb.scan(TableName=os.environ["TABLE_NAME"], ProjectionExpression="connectionId")[
        "Items"
    ]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for row in found:
            connection_id = row["connectionId"]["S"]
            threads.submit(management.post_to_connection, ConnectionId=connection_id, Data=data)
    return {"statusCode": 200, "body": "Data sent."}
