"""Opening and closing a business: one state, one growing version, told once per change."""

import threading

from tests.gateway.backend import Backend
from tests.gateway.devices import Device


def toggle(device: Device, is_active: bool, business_id: str = "b1") -> int:
    answer = device.ask("BUSINESS_STATUS_UPDATE", businessId=business_id, isActive=is_active)
    assert answer["type"] == "BUSINESS_STATUS_UPDATED", answer
    assert (answer["isActive"], answer["entityType"]) == (is_active, "merchant")
    return answer["version"]


def changes(device: Device) -> list[tuple[int, bool]]:
    return [
        (event["version"], event["data"]["isAcceptingOrders"])
        for event in device.events("MERCHANT_STATUS_CHANGE")
    ]


def agrees(backend: Backend, is_active: bool, version: int, business_id: str = "b1") -> None:
    """Business row, status row and every subscription of the business say the same."""
    business = backend.tables.businesses.get(business_id)
    assert business is not None
    assert (business["isActive"], business["acceptingOrders"]) == (is_active, is_active)
    status = backend.status_row(business_id)
    assert status is not None
    assert (status["isActive"], status["version"]) == (is_active, version)
    rows = [
        row
        for row in backend.tables.subscriptions.rows()
        if row.get("businessId") == business_id and row.get("subscriptionType") == "business_status"
    ]
    assert rows, "no business_status row"
    assert {row["isActive"] for row in rows if row["topic"] == f"business:{business_id}"} == {
        is_active
    }


def test_a_toggle_without_any_subscription_creates_one(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    version = toggle(device, True)
    agrees(backend, True, version)
    (row,) = backend.subscriptions_of(device)
    assert (row["entityType"], row["subscriptionType"]) == ("merchant", "business_status")
    assert row["userType"] == "merchant"


def test_off_really_turns_every_row_off(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    devices = [backend.merchant("m1", "b1") for _ in range(3)]
    for device in devices:
        device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    first = toggle(devices[0], True)
    agrees(backend, True, first)
    second = toggle(devices[1], False)
    assert second > first
    agrees(backend, False, second)


def test_a_row_that_the_platform_wrote_for_a_customer_follows_too(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    backend.tables.subscriptions.put(
        {
            "subscriptionId": f"{device.connection_id}_business_status_1756633098108",
            "connectionId": device.connection_id,
            "businessId": "b1",
            "userId": "m1",
            "userType": "customer",
            "entityType": "customer",
            "subscriptionType": "business_status",
            "topic": "business:b1",
            "isActive": True,
            "createdAt": backend.timestamp(),
            "lastUpdate": backend.timestamp(),
        }
    )
    version = toggle(device, False)
    agrees(backend, False, version)


def test_customers_are_told_once_per_change_with_growing_versions(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    customers = [backend.customer(f"c{number}") for number in range(3)]
    for customer in customers:
        ack = customer.ask("subscribe_business_status", businessId="b1")
        assert (ack["action"], ack["originalAction"]) == ("ack", "subscribe_business_status")
        assert ack["isActive"] is False
    versions = []
    for is_active in (True, False, True):
        versions.append(toggle(merchant, is_active))
        backend.deliver()
    assert versions == sorted(set(versions))
    for customer in customers:
        assert changes(customer) == list(zip(versions, (True, False, True), strict=True))
        last = customer.events("MERCHANT_STATUS_CHANGE")[-1]
        assert (last["data"]["merchantId"], last["data"]["status"]) == ("b1", "online")
    assert len({e["eventId"] for e in customers[0].events("MERCHANT_STATUS_CHANGE")}) == 3


def test_setting_what_is_already_so_tells_nobody(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    customer = backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    first = toggle(merchant, True)
    backend.deliver()
    second = toggle(merchant, True)
    backend.deliver()
    assert second >= first
    assert changes(customer) == [(first, True)]


def test_the_old_status_words_are_understood(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    answer = merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", status="online")
    assert (answer["type"], answer["isActive"]) == ("BUSINESS_STATUS_UPDATED", True)
    answer = merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", status="offline")
    assert answer["isActive"] is False


def test_who_subscribes_later_gets_the_state_with_the_answer(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    version = toggle(merchant, True)
    backend.deliver()
    customer = backend.customer("c1")
    ack = customer.ask("subscribe_business_status", businessId="b1")
    assert (ack["isActive"], ack["version"]) == (True, version)
    assert ack["subscriptionId"] == f"{customer.connection_id}#merchant_status_b1"


def test_who_unsubscribed_hears_no_more(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    customer = backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    for _ in range(2):
        ack = customer.ask("unsubscribe_business_status", businessId="b1")
        assert ack["originalAction"] == "unsubscribe_business_status"
    toggle(merchant, True)
    backend.deliver()
    assert customer.ask("PING")["type"] == "PONG"
    assert changes(customer) == []
    assert backend.subscriptions_of(customer) == []


def test_somebody_who_never_registered_may_know_the_opening_hours(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    anyone = backend.device()
    assert anyone.ask("subscribe_business_status", businessId="b1")["action"] == "ack"
    version = toggle(merchant, True)
    backend.deliver()
    anyone.expect("MERCHANT_STATUS_CHANGE")
    assert changes(anyone) == [(version, True)]


def test_ten_devices_toggling_at_once_agree_and_lose_no_version(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    customer = backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    devices = [backend.merchant("m1", "b1") for _ in range(10)]
    for device in devices:
        device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    start = threading.Barrier(len(devices))
    answers: list[dict[str, object]] = []

    def press(device: Device, number: int) -> None:
        start.wait()
        wanted = {"businessId": "b1", "isActive": number % 2 == 0}
        answer = device.ask("BUSINESS_STATUS_UPDATE", **wanted)
        while answer.get("code") in ("conflict", "unavailable"):
            answer = device.ask("BUSINESS_STATUS_UPDATE", **wanted)
        answers.append(answer)

    threads = [
        threading.Thread(target=press, args=(device, number))
        for number, device in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer["type"] for answer in answers} == {"BUSINESS_STATUS_UPDATED"}
    by_version: dict[object, set[object]] = {}
    for answer in answers:
        by_version.setdefault(answer["version"], set()).add(answer["isActive"])
    assert all(len(states) == 1 for states in by_version.values()), "one version, two states"
    final = max(answers, key=lambda answer: int(str(answer["version"])))
    agrees(backend, bool(final["isActive"]), int(str(final["version"])))
    backend.deliver()
    customer.ask("PING")
    told = dict(changes(customer))
    assert len(told) == len(changes(customer)), "a version was told twice"
    # The last of them may have found what it wanted, and then had nothing to tell.
    assert max(told) <= int(str(final["version"]))
    assert told[max(told)] == final["isActive"]


def test_a_toggle_reaches_customers_beyond_one_page_of_the_index(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    customers = [backend.customer(f"c{number}") for number in range(2)]
    customers[0].ask("subscribe_business_status", businessId="b1")
    # Rows of connections that are gone, over one megabyte of them, between two that are not.
    moment = backend.timestamp()
    backend.tables.subscriptions.put_all(
        {
            "subscriptionId": f"Gone{number:07d}AAAA=#merchant_status_b1",
            "connectionId": f"Gone{number:07d}AAAA=",
            "topic": "merchant_status_b1",
            "entityType": "customer",
            "createdAt": moment,
            "ttl": int(backend.clock.time()) + 3600,
            "padding": "x" * 3500,
        }
        for number in range(350)
    )
    backend.clock.advance(2)
    customers[1].ask("subscribe_business_status", businessId="b1")
    version = toggle(merchant, True)
    backend.deliver()
    for customer in customers:
        customer.expect("MERCHANT_STATUS_CHANGE")
        assert changes(customer) == [(version, True)]
