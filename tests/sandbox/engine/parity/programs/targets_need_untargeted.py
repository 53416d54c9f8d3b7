"""A target that needs a new resource outside the targets is refused.

Run: up 1, preview 2, up 2, up 1
Target: **::target
"""

from demo import Thing, step

Thing("there", value="v")
if step == 2:
    new = Thing("new", value="v")
    Thing("target", value=new.id)
