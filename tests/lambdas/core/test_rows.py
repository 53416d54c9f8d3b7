"""Rows of the shared tables: what may be believed of them, and how long they live."""

from typing import Any

import pytest

from lambdas.messages import EntityType
from lambdas.rows import (
    OURS,
    Business,
    Connection,
    Identity,
    Order,
    digest,
    iso,
    last_second,
    seconds_of,
    subscription_id,
)


def business(**attributes: Any) -> Business:
    return Business.of({"businessId": "b1", **attributes})


def merchant(**changes: Any) -> Identity:
    facts = {"user_id": "m1", "entity_type": EntityType.MERCHANT, "business_id": "b1"}
    return Identity(**(facts | changes))


def test_only_what_we_marked_is_an_identity() -> None:
    row = {"connectionId": "c=", "userId": "m1", "entityType": "merchant", "businessId": "b1"}
    assert Connection.of(row).identity is None
    assert Connection.of({**row, "registeredBy": "somebody"}).identity is None
    assert Connection.of({**row, "registeredBy": OURS}).identity == merchant()


@pytest.mark.parametrize("entity_type", ["user", "business", "mobile_push", "", None, 1])
def test_an_entity_type_of_another_vocabulary_is_no_identity(entity_type: object) -> None:
    row = {"userId": "m1", "entityType": entity_type, "registeredBy": OURS}
    assert Identity.of(row) is None


def test_a_business_belongs_to_its_owner() -> None:
    assert merchant().owns(business(ownerId="m1"))
    assert not merchant().owns(business(ownerId="m2"))
    assert not merchant().owns(business())


def test_a_business_belongs_to_whose_verified_address_it_names() -> None:
    proved = merchant(email_digest=digest("Owner@Example.com "))
    assert proved.owns(business(ownerId="other", email="owner@example.com"))
    assert not proved.owns(business(email="else@example.com"))
    assert not merchant().owns(business(email="owner@example.com"))


def test_nobody_but_a_merchant_owns_a_business() -> None:
    customer = merchant(entity_type=EntityType.CUSTOMER)
    assert not customer.owns(business(ownerId="m1"))


@pytest.mark.parametrize(
    ("flags", "is_open"),
    [
        ({}, False),
        ({"isActive": True}, True),
        ({"acceptingOrders": True}, True),
        ({"isActive": True, "acceptingOrders": True}, True),
        ({"isActive": True, "acceptingOrders": False}, False),
        ({"isActive": False, "acceptingOrders": True}, False),
    ],
)
def test_a_business_is_open_when_no_flag_says_otherwise(
    flags: dict[str, bool], is_open: bool
) -> None:
    assert business(**flags).is_open is is_open


@pytest.mark.parametrize("name", ["businessId", "storeId"])
def test_an_order_names_its_business_in_either_way(name: str) -> None:
    assert Order.of({"orderId": "o1", name: "b1"}).business_id == "b1"


def test_the_parties_of_an_order_are_its_customer_its_driver_and_the_owner_of_its_business() -> (
    None
):
    order = Order.of({"orderId": "o1", "businessId": "b1", "customerId": "c1", "driverId": "d1"})
    mine = business(ownerId="m1")
    for user_id, entity_type in (("c1", "customer"), ("d1", "driver"), ("m1", "merchant")):
        party = merchant(user_id=user_id, entity_type=EntityType(entity_type))
        assert order.has_party(party, mine)
        stranger = merchant(user_id="x", entity_type=EntityType(entity_type))
        assert not order.has_party(stranger, mine)
    assert not order.has_party(merchant(user_id="c1"), mine)
    assert not order.has_party(merchant(), None)
    assert not order.has_party(merchant(), Business.of({"businessId": "b2", "ownerId": "m1"}))


def test_an_order_without_a_driver_has_no_driver() -> None:
    driver = merchant(user_id="d1", entity_type=EntityType.DRIVER)
    assert not Order.of({"orderId": "o1"}).has_party(driver, None)


def test_a_row_lives_as_long_as_its_connection_can() -> None:
    assert last_second(1000.9) == 1000 + 7200 + 600


def test_times_are_written_as_they_are_read() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert seconds_of(iso(1_767_225_600.125)) == 1_767_225_600.125
    assert seconds_of("2026-01-01T00:00:00") == seconds_of("2026-01-01T00:00:00+00:00")
    assert seconds_of("yesterday") is None
    assert seconds_of(7) is None


def test_a_subscription_has_one_id() -> None:
    assert subscription_id("QLCAheDaoAMCJng=", "order:1") == "QLCAheDaoAMCJng=#order:1"
