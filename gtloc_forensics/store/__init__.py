"""The case database: its schema and migrations, its rows, what is stored in them, and the custody chain."""
