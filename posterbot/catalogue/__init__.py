"""The catalogue: images, pages and films, each with a source and a decision. Imports nothing of the crawl."""
