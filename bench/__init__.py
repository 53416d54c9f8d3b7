"""Benchmarks side by side with peers, as ratios in one run; never part of the tests.

A module in here that has a `run` is a benchmark: it measures and returns ratios. What is measured
against what stands in its docstring, whose first line is printed.
"""
