"""What one HTML page offers: images, films, links. Pure functions on a parsed page."""

from posterbot.page.candidates import Candidate, FoundBy
from posterbot.page.content import PageContent, read_page
from posterbot.page.links import PageLink

__all__ = ["Candidate", "FoundBy", "PageContent", "PageLink", "read_page"]
