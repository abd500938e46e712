"""The history of the case database's schema, one step a file, run by alembic."""
