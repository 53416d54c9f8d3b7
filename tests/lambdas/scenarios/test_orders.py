"""Orders reach the devices of their business and their parties; nobody offline loses one."""

from tests.gateway.backend import Backend


def new_orders(messages: list[dict[str, object]]) -> list[str]:
    return [message["payload"]["data"]["orderId"] for message in messages]  # type: ignore[index]


def test_a_new_order_reaches_every_device_of_its_business_and_no_other(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.business("b2", owner="m2")
    phone, tablet = backend.merchant("m1", "b1"), backend.merchant("m1", "b1")
    other = backend.merchant("m2", "b2")
    for device, business_id in ((phone, "b1"), (tablet, "b1"), (other, "b2")):
        device.ask("SUBSCRIBE_ORDERS", businessId=business_id)
    backend.deliver()
    backend.order("o1")
    backend.deliver()
    for device in (phone, tablet):
        message = device.expect("NEW_ORDER")
        assert message["payload"]["data"]["orderId"] == "o1"
        assert message["payload"]["data"]["businessId"] == "b1"
        assert message["payload"]["aps"]["category"] == "NEW_ORDER_CATEGORY"
        assert message["payload"]["aps"]["mutable-content"] == 1
        ids = [action["id"] for action in message["payload"]["data"]["actions"]]
        assert ids == ["ACCEPT_ORDER", "REJECT_ORDER"]
        assert message["eventId"]
        assert len(device.events("NEW_ORDER")) == 1
    other.ask("PING")
    assert other.events("NEW_ORDER") == []


def test_an_order_of_the_customers_app_names_its_store_and_arrives_too(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.order("o1", businessId=None, storeId="b1")
    backend.deliver()
    assert new_orders([device.expect("NEW_ORDER")]) == ["o1"]


def test_orders_that_came_while_offline_follow_the_subscription(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    backend.order("o2", businessId=None, storeId="b1")
    backend.order("o3", status="delivered")
    backend.order("o4", businessId="b2")
    backend.deliver()
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()
    device.wait(lambda _: len(device.events("NEW_ORDER")) >= 2, "two pending orders")
    device.ask("PING")
    assert sorted(new_orders(device.events("NEW_ORDER"))) == ["o1", "o2"]


def test_the_parties_of_an_order_see_its_progress(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    backend.deliver()
    parties = [backend.customer("c1"), backend.driver("d1"), backend.merchant("m1", "b1")]
    for device in parties:
        ack = device.ask("subscribe_order", orderId="o1")
        assert (ack["action"], ack["originalAction"], ack["status"]) == (
            "ack",
            "subscribe_order",
            "pending",
        )
    for status in ("confirmed", "preparing"):
        backend.clock.advance(1)
        backend.orders.update("o1", status=status, updatedAt=backend.timestamp())
        backend.deliver()
    for device in parties:
        device.wait(lambda _, d=device: len(d.events("ORDER_UPDATE")) >= 2, "two updates")
        updates = device.events("ORDER_UPDATE")
        assert [update["status"] for update in updates] == ["confirmed", "preparing"]
        assert [update["orderId"] for update in updates] == ["o1", "o1"]
        versions = [update["version"] for update in updates if "version" in update]
        assert versions == sorted(versions)


def test_a_merchant_of_the_business_sees_updates_without_asking_for_each_order(
    backend: Backend,
) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.order("o1")
    backend.deliver()
    device.expect("NEW_ORDER")
    device.ask("subscribe_order", orderId="o1")
    backend.orders.update("o1", status="cancelled")
    backend.deliver()
    device.expect("ORDER_UPDATE")
    device.ask("PING")
    assert len(device.events("ORDER_UPDATE")) == 1


def test_a_stream_record_that_comes_twice_is_told_once(backend: Backend) -> None:
    from lambdas import order_events

    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()
    backend.order("o1")
    (record,) = backend.orders.waiting
    backend.deliver()
    backend.orders.deliver(order_events.handler, [record])
    backend.deliver()
    device.ask("PING")
    assert new_orders(device.events("NEW_ORDER")) == ["o1"]


def test_a_driver_who_was_replaced_hears_no_more(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    old, new = backend.driver("d1"), backend.driver("d2")
    old.ask("subscribe_order", orderId="o1")
    backend.orders.update("o1", driverId="d2")
    backend.deliver()
    new.ask("subscribe_order", orderId="o1")
    before = len(old.events("ORDER_UPDATE"))
    backend.orders.update("o1", status="on_the_way")
    backend.deliver()
    assert new.expect("ORDER_UPDATE")["status"] == "on_the_way"
    old.ask("PING")
    assert len(old.events("ORDER_UPDATE")) == before


def test_a_customer_learns_nothing_about_the_driver_but_an_id(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1", driverPhone="+964 771 111 1111", merchantMargin=3)
    customer = backend.customer("c1")
    customer.ask("subscribe_order", orderId="o1")
    backend.orders.update("o1", status="on_the_way")
    backend.deliver()
    update = customer.expect("ORDER_UPDATE")
    assert "+964" not in str(update)
    assert "merchantMargin" not in update
