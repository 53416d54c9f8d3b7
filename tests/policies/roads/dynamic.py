"""A dynamic provider.

Found by: no-dynamic-provider
"""

import pulumi.dynamic


class Provider(pulumi.dynamic.ResourceProvider):
    """Creates what its code says."""

    def create(self, props):
        return pulumi.dynamic.CreateResult("id", props)


class Chat(pulumi.dynamic.Resource):
    """A resource of that provider."""


Chat(Provider(), "chat", {})
