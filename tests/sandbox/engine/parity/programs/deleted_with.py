"""A resource that goes with another one is not deleted by itself.

Run: up 1, up 2, destroy 2
"""

from demo import Thing
from pulumi import ResourceOptions

host = Thing("host", value="v")
guest = ResourceOptions(deleted_with=host)
Thing("guest", value="v", fail="delete", opts=guest)
