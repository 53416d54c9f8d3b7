"""Secrets stay secret through outputs, applies and the state.

Run: preview 1, up 1, up 2, up 2
"""

import pulumi
from demo import Thing, step
from pulumi import ResourceOptions

a = Thing("a", hidden=pulumi.Output.secret(f"s{step}"), value="open")
b = Thing("b", opts=ResourceOptions(additional_secret_outputs=["token"]))
Thing("c", value=pulumi.Output.secret(a.token), tags={"in": pulumi.Output.secret("deep")})
pulumi.export("hidden", b.token)
pulumi.export("plain", a.token)
