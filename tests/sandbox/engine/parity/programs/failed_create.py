"""A create that fails in the middle stops what comes after; the next round goes on from there.

Run: up 1, up 2
"""

from demo import Thing, step

a = Thing("a", value="v")
b = Thing("b", value=a.id, fail="create" if step == 1 else "")
Thing("c", value=b.id)
