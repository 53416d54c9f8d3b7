"""What does not exist cannot be taken over.

Run: preview 1, up 1
"""

from demo import Thing
from pulumi import ResourceOptions

Thing("a", value="other", opts=ResourceOptions(import_="nobody"))
