"""Inputs that the provider refuses are named, and nothing is done.

Run: preview 1, up 1
"""

from demo import Thing

Thing("a", value="v", colour="red")
