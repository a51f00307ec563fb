"""Which pictures look alike, by how a model sees them."""
