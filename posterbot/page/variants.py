"""Which URLs are the same picture in another size, as far as the URL alone can say.

Only the habits of widespread software are known here, and each of them names a size outright. Two pictures taken for
one would cost the catalogue a poster; one picture taken for two costs only a second download. When in doubt: two.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

# WordPress, Shopify, Magento: poster-300x450.jpg, poster_300x.jpg, poster_x450.jpg, poster_300x300_crop_center.jpg
_SIZE_SUFFIX = re.compile(
    r"(?:[-_]([1-9][0-9]{1,3})x([1-9][0-9]{1,3})|_([1-9][0-9]{2,3})x|_x([1-9][0-9]{2,3}))(?:_crop_[a-z]{3,6})?$"
)
# "10x12" is the twelfth episode of season ten; a thumbnail has more pixels than that.
_MIN_AREA = 2_000
_WORD_SUFFIX = re.compile(r"[-_](thumb|thumbnail|small|medium|large|full|scaled)$", re.IGNORECASE)
_WORD_SIZES = {"thumb": 100, "thumbnail": 100, "small": 200, "medium": 400, "large": 1000}
# IMDb and Amazon: name._V1_UX182_CR0,0,182,268_AL_.jpg
_AMAZON_SUFFIX = re.compile(r"\._V1_(?:[A-Z]{2}([0-9]{2,4})[A-Za-z0-9,_]*)?$")
# MediaWiki: …/thumb/a/ab/Name.jpg/220px-Name.jpg
_MEDIAWIKI = re.compile(r"^(.*)/thumb/([^/]+/[^/]+/[^/]+)/(?:[a-z0-9-]*-)?([0-9]{2,4})px-[^/]*$")
# Drupal: …/files/styles/large/public/2024-01/poster.jpg
_DRUPAL = re.compile(r"/styles/[a-z0-9_-]+/public/")
_BLOGGER_HOST = re.compile(r"\.(?:bp\.blogspot|googleusercontent)\.com$")
_BLOGGER_SIZE = re.compile(r"[swh]([0-9]{2,4})(?:-h[0-9]{2,4})?(?:-[a-z0-9-]+)?")
_SEGMENT = re.compile(r"[wh]([1-9][0-9]{1,3})|w([1-9][0-9]{1,3})_and_h[0-9]{2,4}(?:_\w+)?")
# /w1001/ may be the number of a work, so a single number must be a width that people choose.
_WIDTHS = """
    45 92 100 120 150 154 160 180 185 200 220 240 250 300 320 342 350 360 400 450 480 500 512 600 632 640 700 720
    750 768 780 800 900 960 1000 1024 1066 1080 1200 1280 1400 1440 1500 1600 1800 1920 2000 2048 2560 3840
"""
_COMMON_WIDTHS = frozenset(map(int, _WIDTHS.split()))
_SIZE_PARAMETERS = ("w", "width", "h", "height", "resize", "fit")
# A number of two digits and more (?w=3 may be the number of a work), or Jetpack's "300,450".
_SIZE_VALUE = re.compile(r"([1-9][0-9]{1,3})(?:[,x][0-9]{2,4})?")
# They change with the size and say nothing about which picture it is (itok is Drupal's checksum of the style).
_SIDE_PARAMETERS = frozenset({"dpr", "fit", "crop", "itok"})


def size_variant(url: str) -> tuple[str, int | None]:
    """What all sizes of a picture have in common, and which size ``url`` is.

    The size is a number to compare with others of the same key, most often a width in pixels; None where the URL
    names no size, which is how originals look.
    """
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path
    size: int | None = None
    if match := _MEDIAWIKI.match(path):
        path, size = f"{match[1]}/{match[2]}", int(match[3])
    elif "/styles/" in path and (match := _DRUPAL.search(path)):
        path, size = f"{path[: match.start()]}/{path[match.end() :]}", 1
    folders, _, name = path.rpartition("/")
    if _BLOGGER_HOST.search(host):
        folders, name, size = _blogger(folders, name)
    elif size is None:
        folders, size = _folder_size(folders)
    name, name_size = _name_size(name)
    query, query_size = _query_size(parts.query)
    sizes = [each for each in (size, name_size, query_size) if each is not None]
    return f"{parts.netloc}{folders}/{name}?{query}", min(sizes, default=None)


def _name_size(name: str) -> tuple[str, int | None]:
    stem, dot, ending = name.rpartition(".")
    if not dot:
        return name, None
    size: int | None = None
    if match := _AMAZON_SUFFIX.search(stem):
        return f"{stem[: match.start()]}.{ending}", int(match[1]) if match[1] else None
    if (match := _SIZE_SUFFIX.search(stem)) and (not match[1] or int(match[1]) * int(match[2]) >= _MIN_AREA):
        stem, size = stem[: match.start()], int(match[1] or match[3] or match[4])
    elif match := _WORD_SUFFIX.search(stem):
        stem, size = stem[: match.start()], _WORD_SIZES.get(match[1].lower())
    return (f"{stem}.{ending}", size) if stem else (name, None)


def _folder_size(folders: str) -> tuple[str, int | None]:
    """TMDB and its like: /t/p/w342/x.jpg, /t/p/w600_and_h900_bestv2/x.jpg, /t/p/original/x.jpg."""
    parent, _, last = folders.rpartition("/")
    if last == "original":
        return f"{parent}/*", None
    match = _SEGMENT.fullmatch(last)
    if not match or (match[1] and int(match[1]) not in _COMMON_WIDTHS):
        return folders, None
    return f"{parent}/*", int(match[1] or match[2])


def _blogger(folders: str, name: str) -> tuple[str, str, int | None]:
    """Google's image hosts: …/s320/poster.jpg and …/token=w300-h450; s0 and s1600 ask for large ones."""
    token, equals, wish = name.rpartition("=")
    if equals and (match := _BLOGGER_SIZE.fullmatch(wish)):
        return folders, token, int(match[1])
    parent, _, last = folders.rpartition("/")
    if match := _BLOGGER_SIZE.fullmatch(last):
        return f"{parent}/*", name, int(match[1])
    return folders, name, None


def _query_size(query: str) -> tuple[str, int | None]:
    if not query:
        return "", None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return query, None
    wishes: dict[str, int] = {}
    for name, value in pairs:
        if name in _SIZE_PARAMETERS and (match := _SIZE_VALUE.fullmatch(value)):
            wishes[name] = int(match[1])
    kept = [pair for pair in pairs if pair[0] not in wishes and pair[0] not in _SIDE_PARAMETERS]
    return urlencode(kept), next((wishes[name] for name in _SIZE_PARAMETERS if name in wishes), None)
