"""The case in the forms of other programs: JSON, CSV, maps, timelines, CASE/UCO, the custody chain."""
