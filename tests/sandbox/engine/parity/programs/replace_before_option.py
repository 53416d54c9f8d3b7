"""`delete_before_replace` takes along the dependents that the change replaces, and only those.

Run: up 1, preview 2, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

a = Thing("a", kind=f"k{step}", opts=ResourceOptions(delete_before_replace=True))
b = Thing("b", kind=a.id)
c = Thing("c", value=a.id)
d = Thing("d", kind=b.id)
Thing("e", opts=ResourceOptions(depends_on=[a]))
