"""The events have the shapes that Powertools for AWS Lambda reads from AWS."""

from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayWebSocketConnectEventModel,
    APIGatewayWebSocketDisconnectEventModel,
    APIGatewayWebSocketMessageEventModel,
    DynamoDBStreamModel,
    SqsModel,
)

from tests.gateway.devices import Device
from tests.gateway.events import new_connection_id
from tests.gateway.routes import Route
from tests.gateway.server import Gateway


def accept(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    return {"statusCode": 200}


MODELS = {
    "$connect": APIGatewayWebSocketConnectEventModel,
    "$disconnect": APIGatewayWebSocketDisconnectEventModel,
    "$default": APIGatewayWebSocketMessageEventModel,
}


@pytest.fixture(scope="module")
def events() -> dict[str, dict[str, Any]]:
    """One event of each kind, as a Lambda got it."""
    with Gateway(routes={key: Route(handler=accept) for key in MODELS}) as gateway:
        with Device(url=gateway.url, query={"businessId": "b1"}) as device:
            connection_id = gateway.live_connections()[0]
            device.send("anything")
        gateway.wait_gone(connection_id)
        return {call.route_key: call.event for call in gateway.invocations}


@pytest.mark.parametrize("route_key", MODELS)
def test_an_event_is_what_the_model_of_its_kind_reads(
    events: dict[str, dict[str, Any]], route_key: str
) -> None:
    read = MODELS[route_key].model_validate(events[route_key])
    assert read.request_context.route_key == route_key
    assert read.request_context.connection_id.endswith("=")


def test_every_event_names_the_moment_of_the_connect(events: dict[str, dict[str, Any]]) -> None:
    moments = {event["requestContext"]["connectedAt"] for event in events.values()}
    assert len(moments) == 1


def test_the_query_reaches_the_connect_route_alone(events: dict[str, dict[str, Any]]) -> None:
    assert events["$connect"]["queryStringParameters"] == {"businessId": "b1"}
    assert all("queryStringParameters" not in events[key] for key in ("$default", "$disconnect"))


def test_connection_ids_look_like_those_of_aws() -> None:
    ids = {new_connection_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(id_) == 16 and id_.endswith("=") for id_ in ids)


def test_queue_and_stream_records_are_what_the_models_read() -> None:
    from tests.gateway.clock import VirtualClock
    from tests.gateway.queues import Queue
    from tests.gateway.streams import Stream
    from tests.gateway.tables import Table

    seen: list[dict[str, Any]] = []
    queue = Queue(client=None, url="", dead_letter_url="")
    queue.deliver_again(lambda event, _context: seen.append(event), '{"a": 1}')
    SqsModel.model_validate(seen[0])

    stream = Stream(table=Table(client=None, name="orders", key="orderId"), clock=VirtualClock())
    order = {"orderId": "o1", "totalAmount": 12.5, "items": [{"name": "tea", "quantity": 2}]}
    record = stream.record("INSERT", new=order, old=None)
    read = DynamoDBStreamModel.model_validate({"Records": [record]})
    assert read.Records[0].dynamodb.NewImage is not None
