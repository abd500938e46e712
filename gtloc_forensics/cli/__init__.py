"""The command line: the only room that prints, draws progress or exits."""
