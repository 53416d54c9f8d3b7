"""A dynamic provider under a type of its own.

Found by: no-dynamic-provider
"""

import pulumi.dynamic


class Provider(pulumi.dynamic.ResourceProvider):
    """Creates what its code says."""

    def create(self, props):
        return pulumi.dynamic.CreateResult("id", props)


class Chat(pulumi.dynamic.Resource, module="gateway", name="Chat"):
    """A resource of that provider."""


Chat(Provider(), "chat", {})
