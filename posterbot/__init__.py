"""posterbot builds poster datasets from the open web and remembers why each image was kept or dropped."""

__version__ = "0.1.0"
