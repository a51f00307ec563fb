"""From the catalogue to a training set: what goes in, how it is split, and how it is written."""
