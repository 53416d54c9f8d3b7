"""An exception in the program keeps what was done and deletes nothing.

Run: up 1, up 2, up 3
"""

from demo import Thing, step

a = Thing("a", value="v")
if step == 1:
    Thing("b", value="v")
if step == 2:
    raise ValueError("the program is broken")
