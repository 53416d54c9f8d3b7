"""A targeted destroy of what others depend on is refused.

Run: up 1, destroy 2, preview 1
Target: **::base
"""

from demo import Thing

Thing("free", value="v")
base = Thing("base", value="v")
Thing("above", value=base.id)
