"""The kit of whoever writes a standard: examples tried, mutants hunted, the dictionary as pages, a first draft from data.

The engine judges; the kit shows that a standard says what its author meant. Nothing here knows filings or deployments.
"""
