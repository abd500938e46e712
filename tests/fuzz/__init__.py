"""Hostile photos made from their structure, and what must hold of a case whatever lies in the folder.

``PYTHONPATH=tests python -m fuzz --files 20000`` makes files from consecutive seeds, audits
them in folders, and prints each fault with the command that makes it again. One seed, one
file: the same bytes on every machine.
"""
