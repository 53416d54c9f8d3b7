"""The stand-in platform is what the live one is, its defects included."""

import asyncio
import base64
import json

import pytest
import websockets

from sandbox.platform import UnknownUserError, ensure
from sandbox.platform.tables import BUSINESSES, CONNECTIONS, SUBSCRIPTIONS

ORDERS = "WizzOrders_sandbox"


def test_the_shared_api_routes_by_action_and_deploys_by_itself(cloud, platform):
    gateway = cloud.client("apigatewayv2")
    api = gateway.get_api(ApiId=platform.api_id)
    assert api["Name"] == "WizzUser-WebSocket-sandbox"
    assert api["ProtocolType"] == "WEBSOCKET"
    assert api["RouteSelectionExpression"] == "$request.body.action"
    assert gateway.get_stage(ApiId=platform.api_id, StageName="sandbox")["AutoDeploy"] is True
    routes = {route["RouteKey"] for route in gateway.get_routes(ApiId=platform.api_id)["Items"]}
    assert routes == {"$connect", "$disconnect", "$default"}


@pytest.mark.parametrize(
    ("table", "key", "indexes"),
    [
        (CONNECTIONS, "connectionId", {"userId-connectedAt-index": ["userId", "connectedAt"]}),
        (
            SUBSCRIPTIONS,
            "subscriptionId",
            {
                "topic-createdAt-index": ["topic", "createdAt"],
                "userId-topic-index": ["userId", "topic"],
            },
        ),
        (BUSINESSES, "businessId", {"email-index": ["email"]}),
        (
            ORDERS,
            "orderId",
            {
                "BusinessIdIndex": ["businessId", "createdAt"],
                "StoreIdIndex": ["storeId", "createdAt"],
            },
        ),
    ],
    ids=str,
)
def test_tables_have_the_live_keys_and_indexes(cloud, platform, table, key, indexes):
    found = cloud.client("dynamodb").describe_table(TableName=table)["Table"]
    assert [entry["AttributeName"] for entry in found["KeySchema"]] == [key]
    assert {
        index["IndexName"]: [entry["AttributeName"] for entry in index["KeySchema"]]
        for index in found.get("GlobalSecondaryIndexes", [])
    } == indexes


def test_the_shared_tables_expire_rows_and_orders_have_a_stream(cloud, platform):
    dynamodb = cloud.client("dynamodb")
    for table in (CONNECTIONS, SUBSCRIPTIONS):
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    orders = dynamodb.describe_table(TableName=ORDERS)["Table"]
    assert orders["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_every_merchant_owns_a_business_of_their_own(cloud, platform):
    merchants = [user for user in platform.users if user.role == "merchant"]
    assert [merchant.name for merchant in merchants] == ["merchant1", "merchant2"]
    for merchant in merchants:
        row = cloud.client("dynamodb").get_item(
            TableName=BUSINESSES, Key={"businessId": {"S": merchant.business_id}}
        )["Item"]
        assert row["ownerId"]["S"] == merchant.user_id
        assert row["email"]["S"].startswith(merchant.name)


@pytest.mark.parametrize("name", ["merchant1", "merchant2", "customer1", "customer2", "driver1"])
def test_a_token_verifies_against_its_pool(cloud, platform, name):
    import jwt

    user = platform.user(name)
    pool = next(pool for pool in platform.pools if pool.entity_type == user.role)
    settings = pool.settings(cloud)
    token = platform.token(cloud, name)
    key = jwt.PyJWKClient(settings["jwksUrl"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=settings["clientIds"])
    assert claims["sub"] == user.user_id
    assert claims["iss"].endswith(pool.id)
    assert claims["email_verified"] is True


def test_an_unknown_user_is_named_with_those_there_are(cloud, platform):
    with pytest.raises(UnknownUserError, match=r"user nobody: .*merchant1, merchant2"):
        platform.token(cloud, "nobody")


def test_connect_takes_a_merchant_for_a_customer_and_disconnect_leaves_subscriptions(
    cloud, platform, unique
):
    dynamodb = cloud.client("dynamodb")
    user_id, subscription = unique("user"), unique("subscription")

    async def visit():
        url = f"{_url(cloud, platform)}?entityType=merchant&userId={user_id}&businessId=b"
        async with websockets.connect(url):
            rows = _connections(dynamodb, user_id)
            dynamodb.put_item(
                TableName=SUBSCRIPTIONS,
                Item={
                    "subscriptionId": {"S": subscription},
                    "connectionId": rows[0]["connectionId"],
                },
            )
            return rows

    rows = asyncio.run(visit())
    assert [row["entityType"]["S"] for row in rows] == ["customer"]
    assert rows[0]["ttl"]["N"].isdigit()
    assert asyncio.run(_until(lambda: not _connections(dynamodb, user_id)))
    kept = dynamodb.get_item(TableName=SUBSCRIPTIONS, Key={"subscriptionId": {"S": subscription}})
    assert "Item" in kept


@pytest.mark.parametrize(
    ("sent", "original"),
    [('{"type": "PING"}', "PING"), ('{"action": "dance"}', "dance"), ("no json", None)],
)
def test_what_no_route_takes_is_acknowledged_as_unknown(cloud, platform, sent, original):
    async def visit():
        async with websockets.connect(_url(cloud, platform)) as socket:
            await socket.send(sent)
            return json.loads(await asyncio.wait_for(socket.recv(), 20))

    answer = asyncio.run(visit())
    assert answer["action"] == "unknown_message_ack"
    assert answer["originalAction"] == original


def test_what_a_lambda_logs_behind_a_websocket_is_kept(cloud, platform):
    async def visit():
        async with websockets.connect(_url(cloud, platform)) as socket:
            await socket.send("{}")
            await asyncio.wait_for(socket.recv(), 20)

    asyncio.run(visit())
    events = cloud.client("logs").filter_log_events(
        logGroupName="/aws/lambda/WizzUser-WebSocketDefault-sandbox"
    )["events"]
    assert any(event["message"].startswith("REPORT") for event in events)


def test_bringing_it_up_again_changes_nothing(cloud, platform):
    (cloud.home / "platform.json").unlink()
    assert ensure(cloud) == platform
    assert ensure(cloud) == platform


def test_what_somebody_changed_is_left_as_it_is(cloud, platform):
    gateway = cloud.client("apigatewayv2")
    gateway.update_stage(ApiId=platform.api_id, StageName="sandbox", AutoDeploy=False)
    try:
        ensure(cloud)
        assert not gateway.get_stage(ApiId=platform.api_id, StageName="sandbox")["AutoDeploy"]
    finally:
        gateway.update_stage(ApiId=platform.api_id, StageName="sandbox", AutoDeploy=True)


def test_tokens_name_only_what_the_pool_knows(cloud, platform):
    payload = platform.token(cloud, "driver1").split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["token_use"] == "id"
    assert "entityType" not in claims


def _url(cloud, platform):
    return f"ws://127.0.0.1:{cloud.port}/_aws/execute-api/{platform.api_id}/{platform.stage}"


def _connections(dynamodb, user_id):
    return dynamodb.query(
        TableName=CONNECTIONS,
        IndexName="userId-connectedAt-index",
        KeyConditionExpression="userId = :user",
        ExpressionAttributeValues={":user": {"S": user_id}},
    )["Items"]


async def _until(condition, patience=20):
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - the condition asks another process
            await asyncio.sleep(0.02)
    return True
