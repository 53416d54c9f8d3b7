"""REGISTER_CONNECTION and MERCHANT_LOGOUT: who holds this connection, from when until when."""

from msgspec import UNSET

from lambdas import tables
from lambdas.answers import MerchantLogoutConfirmed, Registered
from lambdas.configuration import IdentityMode
from lambdas.exchange import Exchange
from lambdas.identity import (
    NOT_YOURS,
    Proof,
    proved_by_authorizer,
    proved_by_connection,
    registered,
    settle,
)
from lambdas.messages import EntityType, ErrorCode
from lambdas.observability import holder
from lambdas.refusal import Refusal
from lambdas.requests import MerchantLogout, RegisterConnection
from lambdas.rows import OURS, Business, Connection, Identity, business_topic, subscription_id
from lambdas.tables import ConditionFailedError, Delete, Update, Value, Write


def register(request: RegisterConnection, exchange: Exchange) -> Registered:
    """Verify the proof and write on the connection's row what it says."""
    if exchange.configuration.identity_mode is IdentityMode.CONNECTION:
        identity = _identity_by_connection(request, exchange)
    else:
        identity = _identity_by_proof(request, exchange)
    try:
        tables.update(_registration(identity, exchange))
    except ConditionFailedError as failed:
        if failed.row is None:
            raise Refusal(
                ErrorCode.NOT_FOUND, "This connection is not on record any more: open a new one."
            ) from None
        raise Refusal(
            ErrorCode.CONFLICT, "This connection is registered for another user: open a new one."
        ) from None
    holder(identity.entity_type)
    return Registered(
        timestamp=exchange.timestamp,
        connection_id=exchange.connection_id,
        entity_type=identity.entity_type,
        user_id=identity.user_id,
        business_id=identity.business_id or UNSET,
    )


def _identity_by_proof(request: RegisterConnection, exchange: Exchange) -> Identity:
    proof = _proof(request, exchange)
    business = None
    if proof.entity_type is EntityType.MERCHANT:
        if request.business_id is UNSET:
            raise Refusal(ErrorCode.INVALID, "A merchant says which business in `businessId`.")
        (row,) = tables.read((exchange.configuration.businesses, request.business_id))
        business = Business.of(row) if row else None
    return settle(proof, request.entity_type, business)


def _proof(request: RegisterConnection, exchange: Exchange) -> Proof:
    configuration = exchange.configuration
    if configuration.identity_mode is IdentityMode.AUTHORIZER:
        return proved_by_authorizer(exchange.authorizer, configuration.user_pools)
    if request.token is UNSET:
        raise Refusal(ErrorCode.INVALID, "Send the token of your user pool in `token`.")
    # Cryptography takes longer to import than everything else together.
    from lambdas import tokens

    return tokens.verify(request.token, configuration.user_pools)


def _identity_by_connection(request: RegisterConnection, exchange: Exchange) -> Identity:
    configuration = exchange.configuration
    keys = [(configuration.connections, exchange.connection_id)]
    if request.business_id is not UNSET:
        keys.append((configuration.businesses, request.business_id))
    row, *businesses = tables.read(*keys)
    if row is None:
        raise Refusal(
            ErrorCode.NOT_FOUND, "This connection is not on record any more: open a new one."
        )
    business = Business.of(businesses[0]) if businesses and businesses[0] else None
    proof = proved_by_connection(Connection.of(row), business)
    return settle(proof, request.entity_type, business)


def _registration(identity: Identity, exchange: Exchange) -> Update:
    """What is written on the row: on one that exists, and that is nobody else's already."""
    values: dict[str, Value] = {
        "ours": OURS,
        "user": identity.user_id,
        "type": identity.entity_type,
        "ttl": exchange.last_second(),
        "now": exchange.timestamp,
    }
    known = {"businessId": identity.business_id, "emailDigest": identity.email_digest}
    assignments = [
        "#registeredBy = :ours",
        "#registeredAt = :now",
        "#userId = :user",
        "#entityType = :type",
        "#ttl = :ttl",
        "#lastUpdate = :now",
    ]
    for name, value in known.items():
        if value is not None:
            assignments.append(f"#{name} = :{name}")
            values[name] = value
    # What the platform wrote of the client's own word, and what a former registration proved.
    unproved = [f"#{name}" for name, value in known.items() if value is None]
    return Update(
        table=exchange.configuration.connections,
        key=exchange.connection_id,
        expression=f"SET {', '.join(assignments)}"
        + (f" REMOVE {', '.join(unproved)}" if unproved else ""),
        condition="attribute_exists(#connectionId) AND (attribute_not_exists(#registeredBy)"
        " OR (#userId = :user AND #entityType = :type))",
        values=values,
    )


def log_out(request: MerchantLogout, exchange: Exchange) -> MerchantLogoutConfirmed:
    """End the registration and every subscription of this connection, and of no other.

    The business stays as it is: other devices may serve it, and BUSINESS_STATUS_UPDATE closes it.
    """
    configuration = exchange.configuration
    (row,) = tables.read((configuration.connections, exchange.connection_id))
    connection = Connection.of(row) if row else None
    identity = registered(connection)
    assert connection is not None
    # A merchant who has just lost the business must still be able to leave.
    if (
        identity.business_id != request.business_id
        and business_topic(request.business_id) not in connection.topics
    ):
        raise Refusal(ErrorCode.FORBIDDEN, NOT_YOURS)
    end = Update(
        table=configuration.connections,
        key=exchange.connection_id,
        expression="SET #lastUpdate = :now"
        " REMOVE #registeredBy, #registeredAt, #emailDigest, #subscribedTopics",
        condition="#registeredBy = :ours AND #userId = :user",
        values={"ours": OURS, "user": identity.user_id, "now": exchange.timestamp},
    )
    subscriptions: list[Write] = [
        Delete(
            table=configuration.subscriptions,
            key=subscription_id(exchange.connection_id, topic),
        )
        for topic in sorted(connection.topics)
    ]
    tables.commit_patiently([end, *subscriptions])
    return MerchantLogoutConfirmed(timestamp=exchange.timestamp, business_id=request.business_id)
