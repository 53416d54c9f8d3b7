"""The look-ups that programs make: what is there already, in which region, in whose account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sandbox.aws import lifecycle
from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.schema import ResourceType
from sandbox.aws.session import Session
from sandbox.aws.types import apigatewayv2, dynamodb

Asked = Mapping[str, Any]
"""The arguments of a look-up."""


class NotFoundError(ProviderError):
    """A look-up met nothing."""


@dataclass(frozen=True)
class Lookup:
    """One look-up: the function that answers, what it needs, and takes beside a region."""

    answer: Callable[[Session, Asked], dict[str, Any]]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    def refused(self, token: str, asked: Asked) -> dict[str, str]:
        """Return what is wrong with the arguments, by name."""
        reasons = {name: f"{token} needs {name}" for name in self.needs if name not in asked}
        for name in sorted(asked.keys() - {"region", *self.needs, *self.takes}):
            reasons[name] = f"the sandbox's {token} has no argument {name}"
        return reasons


def _found(each: ResourceType, by: str, session: Session, asked: Asked) -> dict[str, Any]:
    """Return all properties of a resource of the table, which an argument names."""
    operation = Operation(type=each, session=session, inputs=asked, id=asked[by])
    found = lifecycle.find(operation)
    if found is None:
        raise NotFoundError(f"there is no {each.token} {operation.id} in {operation.region}")
    told = {
        name: known.kind.empty if found.get(name) is None else found[name]
        for name, known in each.properties.items()
    }
    return {**told, by: operation.id, "id": operation.id, "tags": found["tagsAll"]}


def _get_apis(session: Session, asked: Asked) -> dict[str, Any]:
    region = asked.get("region") or session.region
    ids: list[str] = []
    after: dict[str, Any] | None = {}
    while after is not None:
        page = session.api("apigatewayv2", region).call("get_apis", after)
        ids += [each["ApiId"] for each in page["Items"] if _matches(each, asked)]
        after = {"NextToken": page["NextToken"]} if page.get("NextToken") else None
    return {**asked, "id": region, "ids": ids, "region": region}


def _matches(found: Mapping[str, Any], asked: Asked) -> bool:
    given = {"name": found["Name"], "protocolType": found["ProtocolType"]}
    return all(asked.get(name) in (None, value) for name, value in given.items())


def _get_region(session: Session, asked: Asked) -> dict[str, Any]:
    region = asked.get("region") or asked.get("name") or session.region
    told = {"description": f"{region}, played by the sandbox", "endpoint": session.endpoint}
    return {**dict.fromkeys(("id", "name", "region"), region), **told}


def _get_caller_identity(session: Session, _: Asked) -> dict[str, Any]:
    who = session.api("sts").call("get_caller_identity", {})
    account = who["Account"]
    return {"id": account, "accountId": account, "arn": who["Arn"], "userId": who["UserId"]}


LOOKUPS: Final[Mapping[str, Lookup]] = {
    "aws:apigatewayv2/getApis:getApis": Lookup(_get_apis, takes=("name", "protocolType")),
    "aws:apigatewayv2/getApi:getApi": Lookup(
        partial(_found, apigatewayv2.API, "apiId"), ("apiId",)
    ),
    "aws:dynamodb/getTable:getTable": Lookup(partial(_found, dynamodb.TABLE, "name"), ("name",)),
    "aws:index/getRegion:getRegion": Lookup(_get_region, takes=("name", "id")),
    "aws:index/getCallerIdentity:getCallerIdentity": Lookup(_get_caller_identity, takes=("id",)),
}
"""Every look-up that the sandbox has, by token."""
