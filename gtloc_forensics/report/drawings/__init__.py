"""Drawings of a report as marks: shapes with positions, painted by the PDF and by SVG."""
