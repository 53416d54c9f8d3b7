"""What the rule no-dynamic-provider stops."""

from typing import Any

import pulumi.dynamic


class Gateway(pulumi.dynamic.ResourceProvider):
    """Creates whatever its code says, unseen."""

    def create(self, props: dict[str, Any]) -> pulumi.dynamic.CreateResult:
        """Create it."""
        return pulumi.dynamic.CreateResult("id", props)


class Chat(pulumi.dynamic.Resource):
    """A resource of that provider."""


Chat(Gateway(), "chat", {})
