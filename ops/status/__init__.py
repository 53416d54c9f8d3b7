"""How a deployed stack is doing now, in one table."""
