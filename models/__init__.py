"""The image classifier: decoding, labels, runtime, registry, training, shipped weights.

Imports nothing of the crawl; ``posterbot`` imports it, never the other way round.
"""
