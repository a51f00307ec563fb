"""From a Wikipedia dump to rows about films and their posters.

Streams of a dump come in as bytes; :class:`~wikidump.extract.Extractor` finds the pages with a film box and makes a
:class:`~wikidump.rows.Row` of each. Imports neither Scrapy nor TensorFlow.
"""

from wikidump.extract import Extractor
from wikidump.page import Page
from wikidump.rows import FilePage, Row

__all__ = ["Extractor", "FilePage", "Page", "Row"]
