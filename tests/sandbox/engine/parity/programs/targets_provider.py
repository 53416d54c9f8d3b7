"""An explicit provider is no target and changes, which resources outside the targets cannot follow.

Run: up 1, preview 2, up 2, up 1
Target: **::target
"""

from demo import Provider, Thing, step
from pulumi import ResourceOptions

provider = Provider("own", realm=f"r{step}")
other = Thing("other", value=f"v{step}", opts=ResourceOptions(provider=provider))
opts = ResourceOptions(provider=provider, depends_on=[other])
Thing("target", value=f"v{step}", opts=opts)
