"""Benchmarks: each file here that defines `benchmarks()` adds figures; `make bench` runs all, `make bench
ONLY=<prefix>` some.
"""
