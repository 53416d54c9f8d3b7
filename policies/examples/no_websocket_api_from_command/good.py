"""What the rule no-websocket-api-from-command lets pass."""

import pulumi


class Command(pulumi.CustomResource):
    """The command provider's resource, without a dependency on its package."""


Command("command:local:Command", "icons", {"create": "aws s3 sync icons s3://shop-icons"})
