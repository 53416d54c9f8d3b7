"""What follows from a proof of identity, and what a claim can never do."""

from typing import Any

import pytest

from lambdas.configuration import UserPool
from lambdas.identity import (
    Proof,
    merchant_of,
    proved_by_authorizer,
    proved_by_claims,
    proved_by_connection,
    registered,
    settle,
)
from lambdas.messages import EntityType, ErrorCode
from lambdas.refusal import Refusal
from lambdas.rows import OURS, Business, Connection, digest

POOLS = (
    UserPool(
        id="p1",
        issuer="https://issuer/p1",
        client_ids=("app",),
        entity_type=EntityType.MERCHANT,
        jwks_url="https://issuer/p1/keys",
    ),
)
MINE = Business.of({"businessId": "b1", "ownerId": "u1"})
THEIRS = Business.of({"businessId": "b2", "ownerId": "u2"})
MERCHANT = Proof(user_id="u1", entity_type=EntityType.MERCHANT)
CUSTOMER = Proof(user_id="u1", entity_type=EntityType.CUSTOMER)


def code(caught: pytest.ExceptionInfo[Refusal]) -> ErrorCode:
    return caught.value.code


def connection(**attributes: Any) -> Connection:
    return Connection.of({"connectionId": "c=", "userId": "u1", **attributes})


def test_the_pool_says_what_the_holder_is() -> None:
    claims = {"sub": "u1", "entityType": "customer", "cognito:groups": ["drivers"]}
    assert proved_by_claims(claims, POOLS[0]) == MERCHANT


@pytest.mark.parametrize("verified", [True, "true"])
def test_a_verified_address_is_kept_as_a_digest(verified: object) -> None:
    claims = {"sub": "u1", "email": "A@example.com", "email_verified": verified}
    assert proved_by_claims(claims, POOLS[0]).email_digest == digest("a@example.com")


@pytest.mark.parametrize("verified", [False, "false", None, "yes", 1.5])
def test_an_unverified_address_proves_nothing(verified: object) -> None:
    claims = {"sub": "u1", "email": "a@example.com", "email_verified": verified}
    assert proved_by_claims(claims, POOLS[0]).email_digest is None


def test_a_merchant_is_one_whatever_the_client_says() -> None:
    for claim in ("customer", "driver", "user", None):
        assert settle(MERCHANT, claim, MINE).entity_type is EntityType.MERCHANT


@pytest.mark.parametrize("business", [None, THEIRS])
def test_a_merchant_needs_a_business_that_is_theirs(business: Business | None) -> None:
    with pytest.raises(Refusal) as caught:
        settle(MERCHANT, None, business)
    assert code(caught) is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("claim", ["merchant", "driver"])
def test_who_claims_more_than_was_proved_is_refused(claim: str) -> None:
    with pytest.raises(Refusal) as caught:
        settle(CUSTOMER, claim, MINE)
    assert code(caught) is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("claim", [None, "customer", "user"])
def test_a_customer_gets_no_business_by_naming_it(claim: str | None) -> None:
    identity = settle(CUSTOMER, claim, MINE)
    assert (identity.entity_type, identity.business_id) == (EntityType.CUSTOMER, None)


def test_the_authorizers_word_counts_as_text() -> None:
    context = {
        "principalId": "x",
        "sub": "u1",
        "entityType": "merchant",
        "email": "a@example.com",
        "email_verified": "true",
    }
    assert proved_by_authorizer(context, POOLS) == Proof(
        user_id="u1", entity_type=EntityType.MERCHANT, email_digest=digest("a@example.com")
    )


def test_the_issuer_that_the_authorizer_saw_beats_its_word() -> None:
    context = {"sub": "u1", "entityType": "customer", "iss": "https://issuer/p1"}
    assert proved_by_authorizer(context, POOLS).entity_type is EntityType.MERCHANT


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"sub": "u1"},
        {"entityType": "merchant"},
        {"sub": "u1", "entityType": "admin"},
        {"sub": "u1", "entityType": "merchant", "iss": "https://issuer/other"},
        {"sub": 1, "entityType": "merchant"},
    ],
)
def test_an_authorizer_that_proves_too_little_is_refused(context: dict[str, object]) -> None:
    with pytest.raises(Refusal) as caught:
        proved_by_authorizer(context, POOLS)
    assert code(caught) is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    ("claimed", "business", "is_proved"),
    [
        ("customer", None, "customer"),
        ("customer", THEIRS, "customer"),
        ("customer", MINE, "merchant"),
        ("driver", None, "driver"),
        ("merchant", None, "merchant"),
        ("user", None, "customer"),
        (None, None, "customer"),
    ],
)
def test_where_the_platform_is_trusted_owners_are_merchants_all_the_same(
    claimed: str | None, business: Business | None, is_proved: str
) -> None:
    proof = proved_by_connection(connection(entityType=claimed), business)
    assert proof == Proof(user_id="u1", entity_type=EntityType(is_proved))


def test_a_connection_without_a_user_proves_nothing() -> None:
    with pytest.raises(Refusal) as caught:
        proved_by_connection(connection(userId=None), MINE)
    assert code(caught) is ErrorCode.FORBIDDEN


def test_a_business_is_the_merchants_only_as_long_as_the_table_says_so() -> None:
    mine = connection(registeredBy=OURS, entityType="merchant", businessId="b1")
    assert merchant_of(mine, "b1", MINE)[1] is MINE
    sold = Business.of({"businessId": "b1", "ownerId": "u2"})
    for business in (sold, None, THEIRS):
        with pytest.raises(Refusal) as caught:
            merchant_of(mine, "b1", business)
        assert code(caught) is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("row", [None, {}, {"registeredBy": "x", "entityType": "merchant"}])
def test_who_is_not_registered_is_told_so(row: dict[str, str] | None) -> None:
    with pytest.raises(Refusal) as caught:
        registered(None if row is None else connection(**row))
    assert code(caught) is ErrorCode.NOT_REGISTERED
