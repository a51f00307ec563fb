"""The live policy: which labels and what threshold make a poster, changed while the crawl runs."""
