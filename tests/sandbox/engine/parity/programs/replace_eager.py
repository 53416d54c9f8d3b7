"""The provider asks for the delete to come first.

Run: up 1, preview 2, up 2
"""

from demo import Thing, step

a = Thing("a", kind=f"k{step}", eager=True)
Thing("b", value=a.id)
