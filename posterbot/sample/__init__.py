"""The sample site: a small cinema archive with invented films, drawn by this project and served on loopback.

``scrapy crawl posters -a start=sample`` crawls it, so the first command works without a network. The drawn site
ships in ``site/``; ``python -m posterbot.sample OUT_DIR`` draws it again.
"""
