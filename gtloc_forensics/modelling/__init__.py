"""Making and judging models: photo tables, metrics, made-up faults, calibration, training. No audit needs it."""
