"""An examination: what is planned, gathered and kept of each photo, and what is concluded of all of them."""
