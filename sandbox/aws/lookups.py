"""The look-ups that programs make: what is there already, in which region, in whose account."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox.aws import lifecycle
from sandbox.aws.check import Failure
from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.schema import Kind, ResourceType
from sandbox.aws.types import apigatewayv2, dynamodb

if TYPE_CHECKING:
    from sandbox.aws.session import Session

Asked = Mapping[str, Any]
"""The arguments of a look-up."""

_NOTHING: Final = {Kind.FLAG: False, Kind.INTEGER: 0, Kind.MAP: {}, Kind.LIST: [], Kind.SET: []}


class NotFoundError(ProviderError):
    """A look-up met nothing."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One look-up: its arguments, those of them that it needs, and the function that answers."""

    answer: Callable[["Session", Asked], dict[str, Any]]
    arguments: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()

    def refused(self, token: str, asked: Asked) -> list[Failure]:
        """Return what is wrong with the arguments."""
        lacking = {name: f"{token} needs {name}" for name in self.required - asked.keys()}
        odd = sorted(asked.keys() - self.arguments)
        reasons = lacking | {name: f"the sandbox's {token} has no argument {name}" for name in odd}
        return [Failure(path=name, reason=reason) for name, reason in reasons.items()]


def _found(
    each: ResourceType, what: str, resource_id: str, session: "Session", asked: Asked
) -> dict[str, Any]:
    """Return all properties of a resource of the table, as look-ups tell them."""
    operation = Operation(
        type=each,
        session=session,
        cwd=Path(),
        cancelled=threading.Event(),
        inputs=asked,
        id=resource_id,
    )
    found = lifecycle.find(operation)
    if found is None:
        raise NotFoundError(f"there is no {what} {resource_id} in {operation.region}")
    told = {
        name: _NOTHING.get(known.kind, "") if found.get(name) is None else found[name]
        for name, known in each.properties.items()
    }
    return {**told, "id": resource_id, "tags": found["tagsAll"]}


def _get_api(session: "Session", asked: Asked) -> dict[str, Any]:
    found = _found(apigatewayv2.API, "API with the id", asked["apiId"], session, asked)
    cors = found.pop("corsConfiguration")
    return {**found, "apiId": asked["apiId"], "corsConfigurations": [cors] if cors else []}


def _get_table(session: "Session", asked: Asked) -> dict[str, Any]:
    found = _found(dynamodb.TABLE, "table", asked["name"], session, asked)
    unknown_here = {
        "onDemandThroughputs": [],
        "pointInTimeRecovery": {"enabled": False, "recoveryPeriodInDays": 0},
        "replicas": [],
        "serverSideEncryption": {"enabled": False, "kmsKeyArn": ""},
        "ttl": found["ttl"] or {"attributeName": "", "enabled": False},
        "warmThroughputs": [],
    }
    return found | unknown_here


def _get_apis(session: "Session", asked: Asked) -> dict[str, Any]:
    region = asked.get("region") or session.region
    ids: list[str] = []
    after: dict[str, Any] | None = {}
    while after is not None:
        page = session.api("apigatewayv2", region).call("get_apis", after)
        ids += [each["ApiId"] for each in page["Items"] if _matches(each, asked)]
        after = {"NextToken": page["NextToken"]} if page.get("NextToken") else None
    return {**asked, "id": region, "ids": ids, "region": region}


def _matches(found: Mapping[str, Any], asked: Asked) -> bool:
    tags = found.get("Tags") or {}
    return (
        asked.get("name") in (None, found["Name"])
        and asked.get("protocolType") in (None, found["ProtocolType"])
        and all(tags.get(key) == value for key, value in (asked.get("tags") or {}).items())
    )


def _get_region(session: "Session", asked: Asked) -> dict[str, Any]:
    region = asked.get("region") or asked.get("name") or session.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": f"{region}, played by the sandbox",
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _get_caller_identity(session: "Session", _: Asked) -> dict[str, Any]:
    who = session.api("sts").call("get_caller_identity", {})
    account = who["Account"]
    return {"id": account, "accountId": account, "arn": who["Arn"], "userId": who["UserId"]}


LOOKUPS: Final[Mapping[str, Lookup]] = {
    "aws:apigatewayv2/getApis:getApis": Lookup(
        answer=_get_apis, arguments=frozenset({"name", "protocolType", "tags", "region"})
    ),
    "aws:apigatewayv2/getApi:getApi": Lookup(
        answer=_get_api,
        arguments=frozenset({"apiId", "region"}),
        required=frozenset({"apiId"}),
    ),
    "aws:dynamodb/getTable:getTable": Lookup(
        answer=_get_table, arguments=frozenset({"name", "region"}), required=frozenset({"name"})
    ),
    "aws:index/getRegion:getRegion": Lookup(
        answer=_get_region, arguments=frozenset({"name", "region", "id"})
    ),
    "aws:index/getCallerIdentity:getCallerIdentity": Lookup(
        answer=_get_caller_identity, arguments=frozenset({"id"})
    ),
}
"""Every look-up that the sandbox has, by token."""
