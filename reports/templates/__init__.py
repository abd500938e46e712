"""What a report looks like and says: data, read through importlib.resources."""
