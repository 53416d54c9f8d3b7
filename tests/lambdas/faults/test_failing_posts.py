"""Connections that are slow, throttled, broken or gone cost the others nothing."""

import pytest

from lambdas import management
from tests.gateway.backend import Backend
from tests.gateway.devices import Device
from tests.gateway.faults import PostFault


@pytest.fixture
def audience(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    """Three customers who are told of a business."""
    monkeypatch.setattr(management, "ANSWER_SECONDS", 0.2)
    backend.business("b1", owner="m1")
    customers = [backend.customer(f"c{number}") for number in range(3)]
    for customer in customers:
        customer.ask("subscribe_business_status", businessId="b1")
    return customers


def toggle(backend: Backend) -> int:
    merchant = backend.merchant("m1", "b1")
    answer = merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    return answer["version"]


def versions(device: Device) -> list[int]:
    device.ask("PING")
    return [event["version"] for event in device.events("MERCHANT_STATUS_CHANGE")]


@pytest.mark.parametrize(
    "fault",
    [
        PostFault(status=429),
        PostFault(status=500),
        PostFault(status=503, typed=False),
        PostFault(status=None),
        PostFault(status=200, latency=0.5),
    ],
    ids=["429", "500", "503 of a proxy", "no answer", "too late an answer"],
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_failing_connection_gets_the_event_later_and_the_others_at_once(
    backend: Backend, audience: list[Device], fault: PostFault, times: int
) -> None:
    troubled = audience[1]
    backend.gateway.faults.fail_posts(troubled.connection_id, fault, times=times)
    version = toggle(backend)
    backend.deliver()
    for customer in audience:
        assert versions(customer) == [version]
    assert backend.tables.connections.get(troubled.connection_id) is not None


def test_a_connection_that_never_recovers_is_given_up_and_the_job_with_it(
    backend: Backend, audience: list[Device]
) -> None:
    backend.gateway.faults.fail_posts(audience[0].connection_id, PostFault(status=429), times=1000)
    version = toggle(backend)
    backend.deliver()
    assert [versions(customer) for customer in audience] == [[], [version], [version]]
    assert backend.queue.peek() == []
    assert len(backend.gateway.posts) < 30


def test_an_answer_that_got_lost_brings_the_same_event_id_twice_at_most(
    backend: Backend, audience: list[Device]
) -> None:
    fault = PostFault(status=None, deliver=True)
    backend.gateway.faults.fail_posts(audience[0].connection_id, fault)
    toggle(backend)
    backend.deliver()
    audience[0].ask("PING")
    events = audience[0].events("MERCHANT_STATUS_CHANGE")
    assert 1 <= len(events) <= 2
    assert len({event["eventId"] for event in events}) == 1


@pytest.mark.parametrize("typed", [True, False])
def test_a_410_removes_the_rows_with_and_without_an_error_type(
    backend: Backend, audience: list[Device], typed: bool
) -> None:
    gone = audience[2]
    backend.gateway.faults.fail_posts(gone.connection_id, PostFault(status=410, typed=typed))
    toggle(backend)
    backend.deliver()
    assert backend.tables.connections.get(gone.connection_id) is None
    assert backend.subscriptions_of(gone) == []
    assert all(backend.subscriptions_of(customer) for customer in audience[:2])


@pytest.mark.parametrize("status", [403, 413])
def test_a_refused_post_is_dropped_and_not_tried_again(
    backend: Backend, audience: list[Device], status: int
) -> None:
    backend.gateway.faults.fail_posts(audience[0].connection_id, PostFault(status=status), times=10)
    version = toggle(backend)
    backend.deliver()
    assert versions(audience[1]) == [version]
    tries = [p for p in backend.gateway.posts if p.connection_id == audience[0].connection_id]
    assert len(tries) == 1
    assert backend.tables.connections.get(audience[0].connection_id) is not None


def test_everything_counted_as_delivered_was_delivered_before_the_worker_returned(
    backend: Backend, audience: list[Device]
) -> None:
    from lambdas import fanout

    backend.gateway.faults.post_latency = 0.05
    toggle(backend)
    arrived: list[int] = []

    def worker(event, context):
        result = fanout.handler(event, context)
        arrived.append(len([p for p in backend.gateway.posts if p.status == 200]))
        return result

    backend.queue.drain(worker)
    assert arrived[-1] == len(audience)
