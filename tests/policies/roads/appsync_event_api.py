"""An AppSync Event API.

Found by: realtime-channel-beside-platform
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other("aws:appsync/api:Api", "live", {"name": "live"})
