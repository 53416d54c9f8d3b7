"""A provider whose configuration only `up` knows.

Run: preview 1, up 1
"""

from demo import Provider, Thing
from pulumi import ResourceOptions

a = Thing("a", value="v")
provider = Provider("p", realm=a.token)
Thing("b", opts=ResourceOptions(provider=provider))
