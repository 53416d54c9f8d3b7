"""The rules without an engine: over programs, states, templates and plans."""
