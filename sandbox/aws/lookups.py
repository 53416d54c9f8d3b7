"""The look-ups that programs make: what is there already, in which region, in whose account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.aws.api import gone
from sandbox.aws.errors import CloudError, ProviderError

if TYPE_CHECKING:
    from sandbox.aws.session import Session


class NotFoundError(ProviderError):
    """A look-up met nothing."""


def api_endpoint(session: "Session", api_id: str, protocol: str) -> str:
    """Return an API's address, without a stage, in the form that reaches the sandbox's gateway.

    On AWS it is `wss://ID.execute-api.REGION.amazonaws.com`; names below `localhost` do not resolve
    on every machine, so the API's id stands in the path here.
    """
    scheme = "ws" if protocol == "WEBSOCKET" else "http"
    return f"{scheme}://{session.authority}/_aws/execute-api/{api_id}"


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One look-up: its arguments, those of them that it needs, and the function that answers."""

    answer: Callable[["Session", Mapping[str, Any]], dict[str, Any]]
    arguments: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


def _matches(found: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    tags = found.get("Tags") or {}
    return (
        asked.get("name") in (None, found["Name"])
        and asked.get("protocolType") in (None, found["ProtocolType"])
        and all(tags.get(key) == value for key, value in (asked.get("tags") or {}).items())
    )


def _get_apis(session: "Session", asked: Mapping[str, Any]) -> dict[str, Any]:
    api = session.api("apigatewayv2", asked.get("region"))
    ids: list[str] = []
    page: dict[str, Any] = {"NextToken": None}
    while "NextToken" in page:
        after = {"NextToken": page["NextToken"]} if page["NextToken"] else {}
        page = api.get_apis(**after)
        ids += [each["ApiId"] for each in page["Items"] if _matches(each, asked)]
    region = asked.get("region") or session.region
    return {**asked, "id": region, "ids": ids, "region": region}


def _get_api(session: "Session", asked: Mapping[str, Any]) -> dict[str, Any]:
    api_id, region = asked["apiId"], asked.get("region") or session.region
    try:
        found = session.api("apigatewayv2", region).get_api(ApiId=api_id)
    except CloudError as error:
        if not gone(error):
            raise
        raise NotFoundError(f"there is no API with the id {api_id} in {region}") from error
    cors = found.get("CorsConfiguration")
    return {
        "id": api_id,
        "apiId": api_id,
        "apiEndpoint": api_endpoint(session, api_id, found["ProtocolType"]),
        "apiKeySelectionExpression": found.get("ApiKeySelectionExpression", ""),
        "arn": f"arn:aws:apigateway:{region}::/apis/{api_id}",
        "corsConfigurations": [
            {f"{name[:1].lower()}{name[1:]}": value for name, value in cors.items()}
        ]
        if cors
        else [],
        "description": found.get("Description", ""),
        "disableExecuteApiEndpoint": found.get("DisableExecuteApiEndpoint", False),
        "executionArn": f"arn:aws:execute-api:{region}:{session.account}:{api_id}",
        "ipAddressType": found.get("IpAddressType", "ipv4"),
        "name": found["Name"],
        "protocolType": found["ProtocolType"],
        "region": region,
        "routeSelectionExpression": found.get("RouteSelectionExpression", ""),
        "tags": dict(found.get("Tags") or {}),
        "version": found.get("Version", ""),
    }


def _get_table(session: "Session", asked: Mapping[str, Any]) -> dict[str, Any]:
    from sandbox.aws.types.table_shapes import table_properties

    name, region = asked["name"], asked.get("region") or session.region
    api = session.api("dynamodb", region)
    try:
        found = api.describe_table(TableName=name)["Table"]
    except CloudError as error:
        if not gone(error):
            raise
        raise NotFoundError(f"there is no table {name} in {region}") from error
    ttl = api.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    tags = api.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]
    encryption = found.get("SSEDescription", {})
    return {
        "rangeKey": "",
        **table_properties({**found, "TimeToLive": ttl}),
        "id": name,
        "name": name,
        "arn": found["TableArn"],
        "deletionProtectionEnabled": found.get("DeletionProtectionEnabled", False),
        "onDemandThroughputs": [],
        "pointInTimeRecovery": {"enabled": False, "recoveryPeriodInDays": 0},
        "region": region,
        "replicas": [],
        "serverSideEncryption": {
            "enabled": encryption.get("Status") == "ENABLED",
            "kmsKeyArn": encryption.get("KMSMasterKeyArn", ""),
        },
        "tags": {each["Key"]: each["Value"] for each in tags},
        "warmThroughputs": [],
    }


def _get_region(session: "Session", asked: Mapping[str, Any]) -> dict[str, Any]:
    region = asked.get("region") or asked.get("name") or session.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": f"{region}, played by the sandbox",
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _get_caller_identity(session: "Session", _: Mapping[str, Any]) -> dict[str, Any]:
    who = session.api("sts").get_caller_identity()
    return {
        "id": who["Account"],
        "accountId": who["Account"],
        "arn": who["Arn"],
        "userId": who["UserId"],
    }


def _get_partition(_: "Session", __: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


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
    "aws:index/getPartition:getPartition": Lookup(
        answer=_get_partition, arguments=frozenset({"id"})
    ),
}
"""Every look-up that the sandbox has, by token."""
