"""The rehearsal: four filings played from core system to receipt by simulated people on real parts.

The people are simulated and say so; the servers, files, hashes, runs and decisions are real. People act through the
commands that people use, steps run in Dagster's daemon. Nothing of the product depends on this room.
"""
