"""A function that fails ends the program.

Run: preview 1, up 1
"""

from demo import Thing, lookup

Thing("a", value=lookup("nobody"))
