"""PING, HEARTBEAT and heartbeat: is anybody there, and am I still on record?"""

from lambdas import tables
from lambdas.answers import HeartbeatResponse, MerchantHeartbeatAck, Pong
from lambdas.exchange import Exchange
from lambdas.observability import holder
from lambdas.requests import Heartbeat, MerchantHeartbeat, Ping
from lambdas.rows import Identity
from lambdas.tables import ConditionFailedError, Update


def ping(_: Ping, exchange: Exchange) -> Pong:
    """Answer without a call."""
    return Pong(timestamp=exchange.timestamp)


def merchant_heartbeat(_: MerchantHeartbeat, exchange: Exchange) -> MerchantHeartbeatAck:
    """Keep the connection's row, in the merchant app's words."""
    return MerchantHeartbeatAck(timestamp=exchange.timestamp, reconnect=not _keep(exchange))


def heartbeat(_: Heartbeat, exchange: Exchange) -> HeartbeatResponse:
    """Keep the connection's row, in the platform's words."""
    return HeartbeatResponse(timestamp=exchange.timestamp, reconnect=not _keep(exchange))


def _keep(exchange: Exchange) -> bool:
    """Keep the connection's row for as long as the connection can live; False if there is none.

    The last second of a connection is fixed when it opens, so a heartbeat never adds to it: it
    corrects a `ttl` of the platform that would end earlier, or days later.
    """
    try:
        row = tables.update(
            Update(
                table=exchange.configuration.connections,
                key=exchange.connection_id,
                expression="SET #ttl = :ttl, #lastHeartbeat = :now",
                condition="attribute_exists(#connectionId)",
                values={"ttl": exchange.last_second(), "now": exchange.timestamp},
            )
        )
    except ConditionFailedError:
        return False
    identity = Identity.of(row)
    if identity is not None:
        holder(identity.entity_type)
    return True
