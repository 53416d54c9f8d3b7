"""What the types of the requests do not say: who may send them, and what they cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdas import answers, requests
from lambdas.requests import Request


@dataclass(frozen=True, kw_only=True)
class About:
    """What the type of a request does not say."""

    who: str
    answer: type[answers.Answer]
    calls: int
    """AWS calls of the handler, at most, when nothing else is in the way."""
    more: str = ""
    """What can come on top of the calls."""


ABOUT: Final[Mapping[type[Request], About]] = {
    requests.Ping: About(who="anyone", answer=answers.Pong, calls=0),
    requests.MerchantHeartbeat: About(who="anyone", answer=answers.MerchantHeartbeatAck, calls=1),
    requests.Heartbeat: About(who="anyone", answer=answers.HeartbeatResponse, calls=1),
    requests.RegisterConnection: About(
        who="anyone with a proof of identity",
        answer=answers.Registered,
        calls=2,
        more="one look-up of the pool's keys in a new container",
    ),
    requests.SubscribeOrders: About(
        who="the merchant of the business", answer=answers.Subscribed, calls=3
    ),
    requests.BusinessStatusUpdate: About(
        who="the merchant of the business",
        answer=answers.BusinessStatusUpdated,
        calls=4,
        more="one for each device beyond 25, one for each MB of devices, two for each toggle of "
        "the same business at the same moment",
    ),
    requests.MerchantLogout: About(
        who="the merchant of the business", answer=answers.MerchantLogoutConfirmed, calls=2
    ),
    requests.SubscribeBusinessStatus: About(
        who="anyone, registered or not", answer=answers.BusinessAck, calls=3
    ),
    requests.UnsubscribeBusinessStatus: About(
        who="anyone, registered or not", answer=answers.BusinessAck, calls=2
    ),
    requests.SubscribeOrder: About(who="a party of the order", answer=answers.OrderAck, calls=3),
    requests.UnsubscribeOrder: About(
        who="whoever is registered",
        answer=answers.OrderAck,
        calls=2,
        more="one for a merchant",
    ),
    requests.SendOrderMessage: About(
        who="a party of the order",
        answer=answers.OrderMessageAck,
        calls=4,
        more="one from a merchant, two to a merchant, and a post for each connection",
    ),
}
