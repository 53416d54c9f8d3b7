"""What the rule command-deploys-infrastructure lets pass."""

import pulumi


class Command(pulumi.CustomResource):
    """The command provider's resource, without a dependency on its package."""


Command("command:local:Command", "build", {"create": "npm run build"})
