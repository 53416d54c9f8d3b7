"""A replacement whose create fails after the delete is taken up again where it was.

Run: up 1, up 2, up 3
"""

from demo import Thing, step

a = Thing("a", kind=f"k{min(step, 2)}", eager=True, fail="create" if step == 2 else "")
Thing("b", kind=a.id)
