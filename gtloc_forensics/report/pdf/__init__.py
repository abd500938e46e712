"""The report on paper: PDF with embedded fonts, repeatable to the byte, signed on request."""
