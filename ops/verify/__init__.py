"""Proof, from the outside, that a deployed stack does what its users rely on."""
