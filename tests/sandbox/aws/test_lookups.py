"""Look-ups: what they find, and what they say when they find nothing."""

import pytest

from sandbox.aws.errors import UnknownTokenError
from sandbox.aws.lookups import NotFoundError
from tests.sandbox.aws.driver import CheckFailedError, Driver
from tests.sandbox.aws.examples import table

pytestmark = pytest.mark.cloud

GET_API = "aws:apigatewayv2/getApi:getApi"
GET_APIS = "aws:apigatewayv2/getApis:getApis"
GET_TABLE = "aws:dynamodb/getTable:getTable"
API = "aws:apigatewayv2/api:Api"


def test_apis_are_found_by_name_and_protocol(driver: Driver, unique):
    name = unique("shared")
    socket, twin, other = (
        driver.create(API, "it", name=each, protocolType=protocol).id
        for each, protocol in ((name, "WEBSOCKET"), (name, "HTTP"), (unique("other"), "HTTP"))
    )

    def ids(**asked: str) -> set[str]:
        return set(driver.invoke(GET_APIS, **asked)["ids"])

    assert ids(name=name) == {socket, twin}
    assert ids(name=name, protocolType="WEBSOCKET") == {socket}
    assert ids(name=unique("nobody")) == set()
    assert {socket, twin, other} <= ids()


def test_more_apis_than_a_page_are_all_found(driver: Driver, unique):
    name = unique("many")
    made = {driver.create(API, "it", name=name, protocolType="HTTP").id for _ in range(30)}

    assert set(driver.invoke(GET_APIS, name=name)["ids"]) == made


@pytest.mark.parametrize(("protocol", "scheme"), [("WEBSOCKET", "ws"), ("HTTP", "http")])
def test_an_apis_endpoint_is_one_that_this_machine_reaches(
    driver: Driver, cloud, unique, protocol, scheme
):
    api = driver.create(API, unique("api"), protocolType=protocol)

    found = driver.invoke(GET_API, apiId=api.id)

    address = cloud.endpoint.removeprefix("http://")
    assert found["apiEndpoint"] == f"{scheme}://{address}/_aws/execute-api/{api.id}"
    assert found["executionArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api.id}"
    assert found["protocolType"] == protocol
    assert found["apiEndpoint"] == api.outputs["apiEndpoint"]
    assert found["executionArn"] == api.outputs["executionArn"]


def test_a_table_is_told_with_keys_indexes_time_to_live_and_stream(driver: Driver, unique):
    inputs = table(driver, unique).inputs
    made = driver.create("aws:dynamodb/table:Table", "it", **inputs)

    found = driver.invoke(GET_TABLE, name=inputs["name"])

    assert (found["hashKey"], found["rangeKey"]) == ("orderId", "line")
    assert found["ttl"] == {"attributeName": "ttl", "enabled": True}
    (index,) = found["globalSecondaryIndexes"]
    assert (index["name"], index["hashKey"], index["rangeKey"]) == (
        "StoreIdIndex",
        "storeId",
        "createdAt",
    )
    assert found["streamArn"] == made.outputs["streamArn"]
    assert found["tags"] == inputs["tags"]


def test_what_is_not_there_is_named_with_the_region(driver: Driver):
    with pytest.raises(NotFoundError, match="no-such-api in us-east-1"):
        driver.invoke(GET_API, apiId="no-such-api")
    with pytest.raises(NotFoundError, match="no-such-table in us-east-1"):
        driver.invoke(GET_TABLE, name="no-such-table")


def test_arguments_are_checked_by_name(driver: Driver):
    with pytest.raises(CheckFailedError) as refused:
        driver.invoke(GET_API, apiIdentifier="a")

    assert set(refused.value.failures) == {"apiId", "apiIdentifier"}
    with pytest.raises(UnknownTokenError, match="getBucket"):
        driver.invoke("aws:s3/getBucket:getBucket", bucket="b")


def test_the_region_and_the_account_are_the_sandboxs(driver: Driver):
    driver.configure(region="eu-west-1")

    assert driver.invoke("aws:index/getRegion:getRegion")["region"] == "eu-west-1"
    identity = driver.invoke("aws:index/getCallerIdentity:getCallerIdentity")
    assert identity["accountId"] == "000000000000"
