"""The earth as a clock and a globe: distances, circles, the sun, zones and offsets, land and sea.

``circular`` and ``sphere`` are the geometry of time and place, ``globe`` has distances and the
sun over a place, ``sun`` the ephemeris, ``zones`` legal time, ``claims`` the offset and the sun of a
claim, ``land`` coasts, ``countries`` borders and ``gazetteer`` the names of places.
"""
