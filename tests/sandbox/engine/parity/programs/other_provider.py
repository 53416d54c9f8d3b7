"""A resource that another provider takes over: without replacement where the two are alike.

Run: up 1, preview 2, up 2, up 3
"""

from demo import Provider, Thing, step
from pulumi import ResourceOptions

providers = {
    1: Provider("one", realm="mars"),
    2: Provider("two", realm="mars"),
    3: Provider("three", realm="venus"),
}
Thing("a", opts=ResourceOptions(provider=providers[step]))
