"""A targeted destroy deletes the target, and refuses while something that stays depends on it.

Run: up 1, refresh 2, destroy 2, refresh 2
Target: **::free
"""

from demo import Thing

Thing("free", value="v")
base = Thing("base", value="v")
Thing("above", value=base.id)
