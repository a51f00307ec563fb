"""From what an attribute says to an absolute http(s) URL, and what a URL's path says of the file behind it."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit

from w3lib.url import safe_url_string

MAX_URL_LENGTH = 4096
"""Longer addresses are dropped: servers refuse them, and a catalogue should not have to store them."""

MAX_ADDRESSES = 30_000
"""Different addresses that are read on one page; fewer if they are long or strange, which takes time."""

MAX_MENTIONS = 100_000
"""Addresses that are read on one page, each as often as it stands there."""

IMAGE_EXTENSIONS = frozenset({"jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "avif", "bmp", "tif", "tiff"})
"""A link to one of these is a picture, not a page."""

_FILES = """
    7z ai apk avi bin bz2 css csv deb dmg doc docx eps epub exe flac flv gz heic heif ico ics iso jar js json jxl m3u
    m3u8 m4a m4v map mid mjs mkv mobi mov mp3 mp4 mpeg mpg msi ods odt ogg ogv opus otf pdf ppt pptx ps psd rar rpm rss
    rtf srt svg swf tar tgz torrent ttf txt vtt wav wasm webm webmanifest wma wmv woff woff2 xls xlsx xml xz zip
"""

FILE_EXTENSIONS = frozenset(_FILES.split())
"""Links to these lead neither to a page nor to a picture that can be read."""

# The characters WHATWG strips from both ends of a URL, and those it drops from the middle.
_EDGES = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans("", "", "\t\n\r")
# A name or an IPv6 address, as ``urlsplit`` gives it; names of other alphabets are punycode by then.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
# What nearly all addresses look like: nothing in them is to be encoded, and the rest is checked by looking.
_SAFE = re.compile(
    r"https?://[a-z0-9]{1,63}(?:[.-][a-z0-9]{1,30}){0,5}(?::[1-9][0-9]{1,3})?"
    r"/[A-Za-z0-9._~/-]*(?:\?[A-Za-z0-9._~/=&-]+)?"
)
# A template that no script has filled in yet: {{ film.poster }}, ${poster}, <%= poster %>, …/{width}/….
_UNFILLED = re.compile(r"\{\{|\$\{|\{%|<%|\{(?:width|height|size)\}")


class Resolver:
    """Makes the addresses of one page absolute; ``data_uris`` counts the inline images met on the way."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.data_uris = 0
        self._mentions = 0
        self._left = MAX_ADDRESSES
        # A page names the same few addresses again and again: logo, placeholder, thumbnail and full file.
        self._known: dict[str, str] = {}

    @property
    def exhausted(self) -> bool:
        """Has the page named so many addresses that no more are read?"""
        return self._mentions >= MAX_MENTIONS

    def image(self, raw: str | None) -> str:
        """The URL of an image; empty where ``raw`` is a ``data:`` URI, a fragment of this page, or no http(s) URL."""
        if raw is None:
            return ""
        if raw[:64].lstrip(_EDGES)[:5].lower() == "data:":
            self.data_uris += 1
            return ""
        return self.link(raw)

    def link(self, raw: str | None) -> str:
        """The URL of a link, without its fragment; empty where it leads to no other http(s) address."""
        if raw is None or self.exhausted:
            return ""
        self._mentions += 1
        if raw not in self._known:
            if self._left <= 0:
                return ""
            url = self._known[raw] = absolute_url(self.base_url, raw)
            self._left -= (1 if _SAFE.fullmatch(url) else 3) * (1 + len(raw) // 64)
        return self._known[raw]


def absolute_url(base_url: str, raw: str) -> str:
    """``raw`` as a browser on ``base_url`` would ask for it, percent-encoded and without fragment.

    Empty for schemes other than http(s), for unfilled templates, for addresses with a password in them and for
    anything that is no URL at all.
    """
    if len(raw) > 2 * MAX_URL_LENGTH:
        return ""
    cleaned = raw.strip(_EDGES).translate(_DROPPED).partition("#")[0]
    if not cleaned or _UNFILLED.search(cleaned):
        return ""
    path, question_mark, query = cleaned.partition("?")
    try:
        joined = urljoin(base_url, path.replace("\\", "/") + question_mark + query)
        if not joined[:8].lower().startswith(("http://", "https://")):
            return ""
        if _SAFE.fullmatch(joined) and len(joined) <= MAX_URL_LENGTH:
            return joined
        url = safe_url_string(joined)
        parts = urlsplit(url)
        if not _HOST.fullmatch(parts.hostname or "") or parts.username is not None or parts.port == 0:
            return ""
    except ValueError:  # "http://[", a port of letters, a host that is no IDN
        return ""
    return url if len(url) <= MAX_URL_LENGTH else ""


def extension(url: str) -> str:
    """The file extension in the path of ``url``, lower case without the dot; empty where there is none."""
    name = urlsplit(url).path.rpartition("/")[2]
    if "%" in name:
        name = unquote(name)
    # On a wiki "File:Poster.jpg" is the page about the file, whatever the language calls "File".
    if ":" in name:
        return ""
    _, dot, ending = name.rpartition(".")
    return ending.lower() if dot and len(ending) <= 11 else ""


def is_image(url: str) -> bool:
    """Whether the path of ``url`` ends like an image file."""
    return extension(url) in IMAGE_EXTENSIONS


def is_page(url: str) -> bool:
    """Whether ``url`` may lead to a page: everything that does not end like some other kind of file."""
    ending = extension(url)
    return ending not in IMAGE_EXTENSIONS and ending not in FILE_EXTENSIONS
