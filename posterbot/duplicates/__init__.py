"""Which pictures are the same, and which nearly so."""
