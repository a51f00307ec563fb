"""Sites without end, as far as a URL alone tells: pure functions on http(s) URLs. None raises, whatever the text."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

URL_TOO_LONG = "url_too_long"
URL_REPEATS = "url_repeats"
URL_TOO_MANY_PARAMETERS = "url_too_many_parameters"

MAX_LENGTH = 2000
"""Characters."""
MAX_SEGMENTS = 15
"""Pieces of a path, between slashes."""
MAX_SAME_SEGMENT = 3
MAX_PARAMETERS = 12
MAX_SAME_PARAMETER = 5
MAX_PATTERN = 200
"""Characters."""
MAX_PATTERN_SEGMENTS = 8

# --- What only says who comes and from where ----------------------------------------------------------------------
_TRACKING_NAMES = """
    __twitter_impression _branch_match_id _bta_c _bta_tid _ga _gac _gl _hsenc _hsmi _openstat at_campaign
    at_medium dclid epik fb_action_ids fb_action_types fb_source fbclid gad_source gbraid gclid gclsrc guccounter
    guce_referrer guce_referrer_sig igsh igshid irclickid irgwc li_fat_id mc_cid mc_eid mkt_tok ml_subscriber
    ml_subscriber_hash msclkid oly_anon_id oly_enc_id piwik_campaign piwik_kwd piwik_keyword pk_campaign pk_cid
    pk_content pk_kwd pk_keyword pk_medium pk_source rb_clid ref_ ref_src ref_url s_cid spm srsltid trk ttclid
    twclid vero_conv vero_id wbraid wickedid wt.mc_id wt_mc xtor yclid ysclid zanpid
"""
_TRACKING = frozenset(_TRACKING_NAMES.split())
_TRACKING_FAMILIES = ("utm_", "mtm_", "hsa_", "pf_rd_", "pd_rd_", "aspsessionid")
_SESSION = frozenset({"jsessionid", "phpsessid", "cfid", "cftoken", "___sid"})
# These may also be a search, a series, a school: what they hold decides.
_RANDOM_NAMES = "s sid ssid sess sessid sesskey session session_id sessionid phpsid oscsid xtcsid zenid"
_SESSION_IF_RANDOM = frozenset(_RANDOM_NAMES.split())
_RANDOM = re.compile(
    r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{16,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
_PATH_SESSION = re.compile(
    r";(?:jsessionid|phpsessid)=[^/;?&]*"
    r"|/\((?=[^/]{20})(?:[AFSX]\([\w-]+\))+\)(?=/)",  # ASP.NET without cookies: /(S(lit3py55t21z5v55vlm25s55))/
    re.IGNORECASE | re.ASCII,
)


def clean_url(url: str) -> str:
    """``url`` without session ids and without the parameters by which campaigns are counted.

    All the rest stays byte for byte, odd escapes as well. ``clean_url(clean_url(url)) == clean_url(url)``.
    """
    if "?" not in url and ";" not in url and "(" not in url:
        return url
    url, hash_sign, fragment = url.partition("#")
    if ";" in url or "(" in url:
        url = _PATH_SESSION.sub("", url)
    path, question_mark, query = url.partition("?")
    if query:
        parameters = query.split("&")
        kept = [parameter for parameter in parameters if not _is_noise(parameter)]
        if len(kept) < len(parameters):
            query = "&".join(kept)
            if not query:
                question_mark = ""
    return path + question_mark + query + hash_sign + fragment


def _is_noise(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name = name.lower().removeprefix("amp;")  # an "&" escaped twice
    if name in _SESSION_IF_RANDOM:
        return _RANDOM.fullmatch(value) is not None
    return name in _TRACKING or name in _SESSION or name.startswith(_TRACKING_FAMILIES)


# --- URLs that are hopeless by themselves -------------------------------------------------------------------------
_BRACKET = re.compile(r"\[|%5b", re.IGNORECASE)


def refusal(url: str) -> str | None:
    """Why ``url`` should not be asked for at all; None if nothing speaks against it."""
    if len(url) > MAX_LENGTH:
        return URL_TOO_LONG
    path, query = _path_and_query(url)
    segments = path.removesuffix("/").split("/")[1:]
    if len(segments) > MAX_SEGMENTS or _repeats(segments):
        return URL_REPEATS
    if query and "&" in query:
        # f[0]=…&f[1]=… is one parameter, given twice
        names = [_BRACKET.split(parameter.partition("=")[0], maxsplit=1)[0] for parameter in query.split("&")]
        if len(names) > MAX_PARAMETERS or max(Counter(names).values()) > MAX_SAME_PARAMETER:
            return URL_TOO_MANY_PARAMETERS
    return None


def _repeats(segments: list[str]) -> bool:
    """One segment too often, or two or three of them three times in a row: links relative to the wrong page."""
    if len(segments) <= MAX_SAME_SEGMENT:
        return False
    if max(Counter(segments).values()) > MAX_SAME_SEGMENT:
        return True
    return any(
        segments[i : i + 2 * size] == segments[i + size : i + 3 * size]
        for size in (2, 3)
        for i in range(len(segments) - 3 * size + 1)
    )


# --- Templates ----------------------------------------------------------------------------------------------------
_SUFFIX = re.compile(
    r"(.*)(\.(?:action|aspx?|cfm|cgi|do|html?|jspx?|jsf|php\d?|phtml|pl|py|shtml|xhtml|xml|json|txt))", re.IGNORECASE
)
# Of more than three letters, such as can be spoken: "qxkzvbt" is no word, nor is "deadbeef".
_FIXED = re.compile(
    r"[a-z]{1,3}|(?=[a-z]*[aeiouy])(?![a-z]*[bcdfghjklmnpqrstvwxz]{5})(?![a-f]{6,}\Z)[a-z]{4,20}",
)
# IMDb's and Wikidata's kinds; the letters before any number would be as many patterns as there are random ids.
_COUNTED = re.compile(
    r"((?:tt|nm|co|ch|ls)(?=\d{5})|Q|(?:page|part|season|episode|chapter)[-_]?)\d+", re.IGNORECASE | re.ASCII
)
_NAMESPACE = re.compile(r"([A-Za-z]{2,15}(?:_talk)?:)[^_].*")
_DATE = re.compile(
    r"(?:1[89]|20)\d\d([-_.])(?:0?[1-9]|1[0-2])(?:\1(?:0?[1-9]|[12]\d|3[01])(?:[T_].*)?)?"
    r"|[0-3]?\d([-_.])[0-3]?\d\2(?:1[89]|20)\d\d"
)
_DATE_PATH = re.compile(
    r"(?<=/)(?:1[89]|20)\d\d"
    r"/(?:0?[1-9]|1[0-2]|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
    r"(?:/(?:0?[1-9]|[12]\d|3[01]))?(?=/|$)",
    re.IGNORECASE,
)
_DATE_PLACE = "{date}"


def pattern(url: str) -> str:
    """The template of the path of ``url``, with ``?`` if it has a query: equal for pages of one kind on one site.

    Numbers become ``{n}``, dates ``{date}``, everything else that may be a name or an id ``{text}``. A short word of
    plain lower-case letters is taken for a fixed part; so are ``page`` and IMDb's ``tt`` before a number, a wiki's
    namespace, and the suffix of a file: ``/film/{n}``, ``/title/tt{n}``, ``/wiki/File:{text}``, ``/{date}/{text}.html``

    At most MAX_PATTERN characters and MAX_PATTERN_SEGMENTS segments, then ``…``.
    """
    path, query = _path_and_query(url)
    path = _DATE_PATH.sub(_DATE_PLACE, path.rstrip("/"))  # two or three segments in one
    segments = path.split("/")[1 : MAX_PATTERN_SEGMENTS + 2]
    more = len(segments) > MAX_PATTERN_SEGMENTS
    template = "/" + "/".join(map(_placeholder, segments[:MAX_PATTERN_SEGMENTS]))
    if more or len(template) > MAX_PATTERN - 3:
        template = template[: MAX_PATTERN - 3] + "/…"
    return template if query is None else template + "?"


@lru_cache(maxsize=4096)  # a site's fixed parts come with every link
def _placeholder(segment: str) -> str:
    suffix = ""
    if "." in segment and (named := _SUFFIX.fullmatch(segment)):
        segment, suffix = named[1], named[2]
    if _FIXED.fullmatch(segment) or segment == _DATE_PLACE or not segment:
        return segment + suffix
    if segment.isdecimal():
        return "{n}" + suffix
    if _DATE.fullmatch(segment):
        return _DATE_PLACE + suffix
    if counted := _COUNTED.fullmatch(segment):
        return counted[1] + "{n}" + suffix
    if ":" in segment and (named := _NAMESPACE.fullmatch(segment)):
        return named[1] + "{text}" + suffix
    return "{text}" + suffix


def _path_and_query(url: str) -> tuple[str, str | None]:
    """The path, from its first slash on, and the query; None where there is no ``?``."""
    rest = url.partition("#")[0]
    rest, question_mark, query = rest.partition("?")
    if "://" in rest:
        rest = rest.partition("://")[2]
    _, slash, path = rest.partition("/")
    return slash + path, query if question_mark else None
