"""What the rule command-deploys-infrastructure stops."""

import pulumi


class Command(pulumi.CustomResource):
    """The command provider's resource, without a dependency on its package."""


Command("command:local:Command", "legacy", {"create": "sam deploy --stack-name legacy"})
