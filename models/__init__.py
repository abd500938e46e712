"""Weights, galleries, calibration and a card each: data, read through importlib.resources."""
