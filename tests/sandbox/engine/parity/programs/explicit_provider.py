"""Resources of an explicit provider, by option, by parent and by default.

Run: preview 1, up 1, destroy 1
"""

from demo import Group, Provider, Thing
from pulumi import ResourceOptions

provider = Provider("p", realm="mars")
Thing("a", opts=ResourceOptions(provider=provider))
group = Group("g", ResourceOptions(providers=[provider]))
Thing("b", opts=ResourceOptions(parent=group))
Thing("c")
