"""What the types of the requests do not say: who may send them, and what they cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdas import messages
from lambdas.messages import Request


@dataclass(frozen=True, kw_only=True)
class About:
    """What the type of a request does not say."""

    who: str
    answer: type[messages.Answer]
    calls: int
    """AWS calls of the handler, at most, when nothing else is in the way."""
    more: str = ""
    """What can come on top of the calls."""


ABOUT: Final[Mapping[type[Request], About]] = {
    messages.Ping: About(who="anyone", answer=messages.Pong, calls=0),
    messages.MerchantHeartbeat: About(who="anyone", answer=messages.MerchantHeartbeatAck, calls=1),
    messages.Heartbeat: About(who="anyone", answer=messages.HeartbeatResponse, calls=1),
    messages.RegisterConnection: About(
        who="anyone with a proof of identity",
        answer=messages.Registered,
        calls=2,
        more="one look-up of the pool's keys in a new container",
    ),
    messages.SubscribeOrders: About(
        who="the merchant of the business", answer=messages.Subscribed, calls=3
    ),
    messages.BusinessStatusUpdate: About(
        who="the merchant of the business",
        answer=messages.BusinessStatusUpdated,
        calls=4,
        more="one for each device beyond 25, one for each MB of devices, two for each toggle of "
        "the same business at the same moment",
    ),
    messages.MerchantLogout: About(
        who="the merchant of the business", answer=messages.MerchantLogoutConfirmed, calls=2
    ),
    messages.SubscribeBusinessStatus: About(
        who="anyone, registered or not", answer=messages.BusinessAck, calls=3
    ),
    messages.UnsubscribeBusinessStatus: About(
        who="anyone, registered or not", answer=messages.BusinessAck, calls=2
    ),
    messages.SubscribeOrder: About(who="a party of the order", answer=messages.OrderAck, calls=3),
    messages.UnsubscribeOrder: About(
        who="whoever is registered",
        answer=messages.OrderAck,
        calls=2,
        more="one for a merchant",
    ),
    messages.SendOrderMessage: About(
        who="a party of the order",
        answer=messages.OrderMessageAck,
        calls=4,
        more="one from a merchant, two to a merchant, and a post for each connection",
    ),
}
