"""A create that does only a part leaves the resource in the state, and the next up repairs it.

Run: up 1, preview 2, up 2, up 2
"""

from demo import Thing, step

a = Thing("a", value=f"v{step}", fail="partial" if step == 1 else "")
Thing("b", value=a.token)
