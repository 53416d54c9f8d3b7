"""Mends the rows that the app's former handler left in the shared tables."""
