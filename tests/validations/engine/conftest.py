"""The fixtures of the engine's tests; what they are made of lives in `sample_standard`."""

from __future__ import annotations

from tests.validations.engine.sample_standard import english, judged, sample, write_standard

__all__ = ["english", "judged", "sample", "write_standard"]
