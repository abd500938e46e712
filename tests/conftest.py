"""What all tests share: hypothesis without a clock, in CI the same examples each time, and nobody's own settings."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("any machine"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "any machine")

# Two workers of the suite on two cores, each with threads that spin while they wait for one another, took five
# times as long over a small training as one thread does. Set before anything imports torch; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

os.environ["GTLOC_SETTINGS"] = os.path.join(os.path.dirname(__file__), "no-such-folder", "settings.toml")
