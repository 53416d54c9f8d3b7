"""What a cloud would answer, made up: outputs of resources and results of look-ups.

Only the program's child process uses this: it runs without an account, and nothing is created.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
SHARED_API: Final = "lwk0wf6rpl"
"""The shared API of the live development stage."""


def outputs(type_: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return plausible outputs of a resource: its inputs, and what most resources compute."""
    service = type_.split(":")[1].partition("/")[0] if type_.count(":") >= 2 else "service"
    named = str(inputs.get("name") or name)
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{named}"
    computed: dict[str, Any] = {
        "name": named,
        "arn": arn,
        "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/functions/{arn}/invocations",
        "url": f"https://{service}.{REGION}.amazonaws.com/{ACCOUNT}/{named}",
        "qualifiedArn": f"{arn}:1",
        "streamArn": f"{arn}/stream/2000-01-01T00:00:00.000",
        "apiEndpoint": f"https://{named}.execute-api.{REGION}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{named}",
        "invokeUrl": f"https://{named}.execute-api.{REGION}.amazonaws.com",
        "endpoint": f"https://{named}.{service}.{REGION}.amazonaws.com",
        "uniqueId": named,
        "stdout": "",
        "stderr": "",
        "result": "",
    }
    return computed | dict(inputs)


def look_up(token: str, args: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a look-up: as given on the command line, or plausible."""
    name = str(args.get("name") or args.get("id") or "")
    for key in (f"{token}#{name}", token):
        if key in given:
            return dict(given[key])
    if token.endswith(":getPolicyDocument"):
        return {"id": "document", "json": json.dumps(_document(args))}
    made_up: dict[str, Any] = {
        "id": name or token,
        "name": name,
        "region": REGION,
        "accountId": ACCOUNT,
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "names": [f"{REGION}a", f"{REGION}b"],
        "ids": [SHARED_API],
        "arn": f"arn:aws:service:{REGION}:{ACCOUNT}:{name}",
    }
    if "apigatewayv2" in token:
        made_up |= _shared_api(str(args.get("apiId") or SHARED_API))
    elif "dynamodb" in token:
        made_up |= {
            "arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
            "hashKey": "id",
            "rangeKey": "",
            "attributes": [],
            "globalSecondaryIndexes": [],
            "streamArn": "",
        }
    return made_up | dict(args)


def _shared_api(api: str) -> dict[str, Any]:
    return {
        "id": api,
        "apiId": api,
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
        "apiEndpoint": f"wss://{api}.execute-api.{REGION}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}",
    }


def _document(args: Mapping[str, Any]) -> dict[str, Any]:
    statements = [
        {
            "Effect": statement.get("effect") or "Allow",
            **{
                name: statement[key]
                for key, name in (
                    ("actions", "Action"),
                    ("notActions", "NotAction"),
                    ("resources", "Resource"),
                    ("notResources", "NotResource"),
                )
                if statement.get(key)
            },
        }
        for statement in args.get("statements") or ()
    ]
    return {"Version": "2012-10-17", "Statement": statements}
