"""A photo server (Immich): where photos come from, and where corrections go when somebody asks.

``server`` speaks with it, ``assets`` is what it says of a photo, ``fetching`` brings originals
into a folder that is then examined like any other, ``tagging`` marks what was found,
``correcting`` carries a plan to it (journalled, read back, undone), ``listening`` waits for its workflows.
"""
