"""Reviewing a case: what was decided, the pages that show it, the service on this machine, a folder to take away."""
