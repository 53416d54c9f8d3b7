"""A stand-in for the platform that the order receiver joins: `WizzUser-Stack-Sandbox`.

    platform = ensure(cloud)
    token = platform.token(cloud, "merchant1")

Faithful to the live one, its defects included: `$connect` writes `entityType: customer` whatever
the client says, `$disconnect` leaves subscriptions behind, `$default` acknowledges what it does not
know.
"""

from sandbox.platform.ensure import Platform, ensure, load
from sandbox.platform.users import Pool, UnknownUserError, User

__all__ = ["Platform", "Pool", "UnknownUserError", "User", "ensure", "load"]
