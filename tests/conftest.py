"""What all tests share: hypothesis measures no time, since tests never do."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("baosong", deadline=None)
settings.load_profile("baosong")
