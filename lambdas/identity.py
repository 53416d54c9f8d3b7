"""Who holds a connection: what each kind of proof says, and what may follow from it.

Nothing here believes the message. A claim in it can only make the answer a refusal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lambdas.configuration import UserPool
from lambdas.messages import EntityType, ErrorCode
from lambdas.observability import holder
from lambdas.refusal import Refusal
from lambdas.rows import Business, Connection, Identity, digest

NOT_YOURS: Final = "That business does not belong to you."
"""Said of another's business and of one that does not exist, so that nobody learns which."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was proved about the holder of a connection."""

    user_id: str
    entity_type: EntityType
    email_digest: str | None = None


def proved_by_claims(claims: Mapping[str, Any], pool: UserPool) -> Proof:
    """What the verified claims of a token say; the pool alone says what its holder is."""
    return Proof(
        user_id=str(claims["sub"]),
        entity_type=pool.entity_type,
        email_digest=_verified_email(claims),
    )


def proved_by_authorizer(authorizer: Mapping[str, Any], pools: Sequence[UserPool]) -> Proof:
    """What the authorizer of `$connect` said. Raises Refusal: `forbidden`.

    The issuer of the token that it saw decides, where it passes that on; else its own word does.
    """
    user_id = _first(authorizer, "sub", "userId", "principalId")
    issuer = _first(authorizer, "iss")
    if issuer is None:
        entity_type = _first(authorizer, "entityType", "userType")
    else:
        entity_type = next((pool.entity_type for pool in pools if pool.issuer == issuer), None)
    if user_id is None or entity_type not in set(EntityType):
        raise Refusal(ErrorCode.FORBIDDEN, "The connection was opened without a proven identity.")
    return Proof(
        user_id=user_id,
        entity_type=EntityType(entity_type),
        email_digest=_verified_email(authorizer),
    )


def proved_by_connection(connection: Connection, business: Business | None) -> Proof:
    """What the platform's `$connect` wrote. Raises Refusal: `forbidden`.

    It calls everybody a customer: who owns the business that the message names is its merchant.
    """
    user_id = connection.claimed_user_id
    if user_id is None:
        raise Refusal(ErrorCode.FORBIDDEN, "The connection was opened without an identity.")
    merchant = Proof(user_id=user_id, entity_type=EntityType.MERCHANT)
    if business is not None and business.owner_id == user_id:
        return merchant
    match connection.claimed_entity_type:
        case EntityType.DRIVER:
            return Proof(user_id=user_id, entity_type=EntityType.DRIVER)
        case EntityType.MERCHANT:
            return merchant
        case _:
            return Proof(user_id=user_id, entity_type=EntityType.CUSTOMER)


def settle(proof: Proof, claim: object, business: Business | None) -> Identity:
    """The identity that follows from a proof. Raises Refusal: `forbidden`.

    A merchant is one whatever the client says, and needs a business that is theirs. Anyone else
    who claims to be what was not proved is refused rather than registered as something else.
    """
    if proof.entity_type is not EntityType.MERCHANT:
        if claim in set(EntityType) and claim != proof.entity_type:
            raise Refusal(ErrorCode.FORBIDDEN, "The proof of identity does not say that.")
        return Identity(user_id=proof.user_id, entity_type=proof.entity_type)
    identity = Identity(
        user_id=proof.user_id,
        entity_type=proof.entity_type,
        business_id=business.business_id if business else None,
        email_digest=proof.email_digest,
    )
    if business is None or not identity.owns(business):
        raise Refusal(ErrorCode.FORBIDDEN, NOT_YOURS)
    return identity


def registered(connection: Connection | None) -> Identity:
    """The identity that a connection registered with. Raises Refusal: `not_registered`.

    A `ttl` that has passed does not matter here: whoever sends a message is connected.
    """
    if connection is None or connection.identity is None:
        raise Refusal(ErrorCode.NOT_REGISTERED, "Send REGISTER_CONNECTION first.")
    holder(connection.identity.entity_type)
    return connection.identity


def merchant_of(
    connection: Connection | None, business_id: str, business: Business | None
) -> tuple[Identity, Business]:
    """The merchant that a connection is registered for, and a business that is still theirs.

    The business may be another of theirs than the one that they registered with. Raises Refusal:
    `not_registered` or `forbidden`.
    """
    identity = registered(connection)
    if business is None or business.business_id != business_id or not identity.owns(business):
        raise Refusal(ErrorCode.FORBIDDEN, NOT_YOURS)
    return identity, business


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    # An authorizer's context arrives with every value made a text.
    if claims.get("email_verified") not in (True, "true"):
        return None
    email = claims.get("email")
    return digest(email) if isinstance(email, str) and email.strip() else None


def _first(source: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = source.get(name)
        if isinstance(value, str) and value:
            return value
    return None
