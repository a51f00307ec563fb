"""One page, one file: its routes, and what it asks the catalogue."""
