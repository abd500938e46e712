"""Files: what kind they are, how they are opened, listed, taken in, written and watched.

The evidence is read and never written; every other room reads and writes files through here.
"""
