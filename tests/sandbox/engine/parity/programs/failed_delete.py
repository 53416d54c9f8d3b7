"""A delete that fails keeps the resource in the state until it succeeds.

Run: up 1, up 2, up 3, up 2
"""

from demo import Thing, step

Thing("b", value="v")
if step != 2:
    Thing("a", value="v", fail="delete" if step == 1 else "")
