"""A Terraform provider that is bridged on the fly.

Found by: no-standalone-websocket-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other("tfaws:index/apigatewayv2Api:Apigatewayv2Api", "chat", {"protocolType": "WEBSOCKET"})
