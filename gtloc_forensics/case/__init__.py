"""A case: one folder of evidence, one database, what is made of it and what can be done with it."""
