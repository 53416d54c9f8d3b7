"""A provider whose configuration changes so that it cannot go on replaces what it manages.

Run: up 1, preview 2, up 2
"""

from demo import Provider, Thing, step
from pulumi import ResourceOptions

provider = Provider("p", realm=f"realm{step}")
a = Thing("a", opts=ResourceOptions(provider=provider))
Thing("b", value=a.id)
