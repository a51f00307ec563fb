"""Sites that exist only as graphs of links, and crawls of them without HTTP. See ``learning_crawl.py`` beside this."""
