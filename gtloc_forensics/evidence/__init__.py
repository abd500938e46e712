"""Numbers that can be defended: scores and their calibration, false discovery, light against the sun, clocks."""
