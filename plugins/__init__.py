"""Example checks and bridges into other programs, shipped with the package as gtloc_forensics.contrib."""
