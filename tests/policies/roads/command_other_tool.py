"""Another deployment tool.

Found by: command-deploys-infrastructure
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other("command:local:Command", "chat", {"create": "npx serverless deploy --stage dev"})
