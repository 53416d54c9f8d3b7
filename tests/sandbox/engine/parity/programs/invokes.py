"""Functions of a provider, on known values and on those that only `up` knows.

Run: preview 1, up 1
"""

import pulumi
from demo import Thing, lookup, lookup_output

a = Thing("a", value=lookup("you"))
Thing("b", value=lookup_output(a.token))
pulumi.export("found", lookup_output(a.token))
