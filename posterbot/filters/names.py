"""Does the address alone say that the picture is an icon, a logo, an avatar, an advertisement or no picture at all?

Films are called anything: *Avatar*, *Icon*, *Flags of Our Fathers*, *The Emoji Movie*. So it counts where in an address
a word stands, and in files whose ending is that of photographs most words do not count at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from posterbot.catalogue.records import Page
from posterbot.page import Candidate
from posterbot.reasons import Reason

# The labels of web-images that pictures of a kind may have. A kind is dropped only where none of these is wanted.
KINDS: dict[str, frozenset[str]] = {
    "nothing": frozenset(),  # 1×1 files, rulers, trackers, whole sheets of icons
    "icon": frozenset({"icon", "logo", "art"}),
    "logo": frozenset({"logo", "icon", "art"}),
    "flag": frozenset({"map", "icon", "logo"}),
    "avatar": frozenset({"portrait", "photo", "art", "icon", "logo", "meme", "card"}),
    "advertisement": frozenset({"banner", "infographic", "flyer", "product", "logo", "video_thumbnail", "photo"}),
}
LABELS = frozenset(
    """
    album_cover art banner book_cover card chart comic_cover document film_still flyer game_box game_screenshot icon
    infographic logo magazine map meme photo portrait poster poster_square product screenshot video_thumbnail
    """.split()  # noqa: SIM905
)
"""Labels of which is known what they are. Where any other is wanted, only ``nothing`` is dropped."""

# Kind, place, words. Places:
#   host     the host, or a domain it belongs to; with a path: addresses that begin so
#   sub      the first part of the host's name
#   folder   a whole folder, a size behind it left out (icons, icons32, flags/4x3)
#   deep     a folder that is a film's as often ("avatar"): only with a file named by a number or a hash
#   any      a word of the file's name, in any file
#   name     the whole name of a file, sizes and states (32x32, @2x, -hover, -white) left out, in any file
#   drawn    the same; not in files that end as photographs do (JPEG, AVIF)
#   first    the first of several words of such a name; last: the last
_TABLE = """
nothing host doubleclick.net googlesyndication.com googleadservices.com google-analytics.com googletagmanager.com
nothing host analytics.google.com www.facebook.com/tr bat.bing.com ct.pinterest.com/v3 px.ads.linkedin.com t.co/i
nothing host analytics.twitter.com pixel.wp.com stats.wp.com scorecardresearch.com quantserve.com quantcount.com
nothing host mc.yandex.ru mc.yandex.com counter.yadro.ru an.yandex.ru top-fwz1.mail.ru hit.gemius.pl gemius.pl
nothing host ivwbox.de ioam.de vgwort.de met.vgwort.de statcounter.com sitemeter.com histats.com hotjar.com matomo.cloud
nothing host adnxs.com criteo.com criteo.net casalemedia.com rubiconproject.com pubmatic.com openx.net moatads.com
nothing host amazon-adsystem.com adsrvr.org adform.net smartadserver.com zedo.com demdex.net omtrdc.net 2o7.net
nothing host xiti.com chartbeat.net newrelic.com nr-data.net segment.io mixpanel.com hs-analytics.net tns-counter.ru
nothing sub pixel pixels beacon tracking tracker telemetry metrics stats counter hit hits collect analytics
nothing folder pixels beacon beacons tracking trackers sprites spritesheets
nothing any spacer spacers sprite sprites spritesheet webbug utm beacon
nothing name 1x1 pixel-gif clear-gif spacer-gif transparent-pixel tracking-pixel blank-gif px-trans ajax-loader
nothing drawn pixel px blank empty transparent trans clear cleardot dot space spc shim dummy track tracker tracking
nothing drawn counter count hit impression collect tr piwik matomo ping loading loader spinner preloader lazy
nothing drawn placeholder grey gray

icon host gravatar.com/images twemoji.maxcdn.com abs.twimg.com/emoji s.w.org/images/core/emoji img.shields.io
icon host badge.fury.io badgen.net www.paypalobjects.com fonts.gstatic.com www.google.com/s2/favicons
icon host icons.duckduckgo.com t0.gstatic.com/faviconv2 cdn.simpleicons.org img.icons8.com cdn-icons-png.flaticon.com
icon sub icons icon emoji emojis twemoji favicons favicon smilies badges
icon folder icons icon-set iconset ico emoji emojis emoticons smilies smileys twemoji favicon favicons badges buttons
icon folder btns bullets arrows payment-icons social-icons socialicons svg-icons icons-png glyphs
icon any favicon icons iconset touchicon twemoji emoticon smiley btn ico icn
icon name apple-touch-icon apple-touch-icon-precomposed mstile safari-pinned-tab mask-icon android-chrome
icon drawn icon arrow arrows arrow-left arrow-right arrow-up arrow-down chevron caret bullet button search menu
icon drawn hamburger close cross plus minus check checkmark checkbox star stars star-full star-half star-empty heart
icon drawn play-button rating ratings facebook twitter instagram youtube pinterest linkedin whatsapp telegram tiktok rss
icon drawn vimeo reddit tumblr google-plus googleplus mail email e-mail envelope phone print printer cart basket
icon drawn download upload paypal visa mastercard amex maestro american-express visa-mastercard klarna sepa apple-pay
icon drawn google-pay app-store google-play google-play-badge app-store-badge user-icon zoom
icon drawn magnifier lock edit trash info help
icon drawn share like external external-link quote bg background header-bg footer-bg divider separator line shadow
icon first icon ic button emoji arrow chevron flaticon
icon last icon btn emoji favicon glyph pictogram

logo folder logos logo-images
logo any logotype logotyp
logo name site-logo sitelogo header-logo footer-logo logo-header logo-footer main-logo company-logo brand-logo
logo drawn logo logos brand branding watermark
logo first logo
logo last logo logos

flag host flagcdn.com flagpedia.net flagsapi.com flagicons.lipis.dev
flag sub flags
flag folder flags flag-icons flag-icon-css country-flags countryflags
flag drawn flag

avatar host gravatar.com avatars.githubusercontent.com avatar.githubusercontent.com ui-avatars.com api.dicebear.com
avatar host robohash.org pbs.twimg.com/profile_images yt3.ggpht.com a.disquscdn.com s.pravatar.cc i.pravatar.cc
avatar sub avatar avatars gravatar userpic
avatar folder avatars gravatar gravatars userpics userpic profile_images profile-pictures
avatar folder profilepics user-avatars useravatars
avatar deep avatar user-avatar useravatar
avatar any gravatar userpic noavatar useravatar
avatar name default-avatar no-avatar avatar-default avatar-placeholder user-avatar default-user anonymous-user
avatar drawn avatar user guest profile profile-default default-profile anonymous

advertisement sub ads ad adserver adserv banners adimg adimages
advertisement folder ads adserver adverts advertising advertisement banners bannerads adbanners adimages sponsors
advertisement any adbanner bannerad
advertisement drawn advert advertisement sponsor werbung publicidad reklama reklam
"""

_STATES = re.compile(
    r"\d+(?:x\d+)?(?:px)?|[1-4]x|hover|active|inactive|selected|disabled|white|black|grey|gray|dark|light|small|sm|md"
    r"|lg|large|mini|tiny|big|min|on|off|[lr]|retina|inverse|inverted|[0-9a-f]{8,}"
)
_SIZED_FOLDER = re.compile(r"[-_]?\d+(?:x\d+)?(?:px)?$")
_NUMBER_OR_HASH = re.compile(r"(?=[^g-z]*$)[0-9a-f]*\d[0-9a-f]*(?:[-_]\d+)*|[0-9a-f-]{32,36}")
_CODE = re.compile(
    r"(?:\d+px-)?(?:(flag[-_][a-z]{2}|flag[-_]of[-_].*)|avatar[-_]?(?:\d+|[0-9a-f]{16,}|default|placeholder|blank|user))"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GAPS = re.compile(r"[^a-z0-9]+")
_IN_QUERY = re.compile(r"[^=&?#\s]{1,300}\.(?:jpe?g|png|webp|gif|avif|svg|ico)(?![a-z0-9])", re.IGNORECASE)
_PHOTOGRAPHS = frozenset({"jpg", "jpeg", "jpe", "jfif", "pjpeg", "avif", "heic", "tif", "tiff"})
_POSTERS = frozenset(
    """
    poster posters affiche affiches plakat plakate filmplakat filmplakate locandina locandine cartel carteles cartaz
    cartazes plakaty juliste affisch onesheet 1sheet keyart boxart
    """.split()  # noqa: SIM905
)
"""Words beside which no other counts: ``/posters/icon.png``."""
_FILMS = frozenset({"film", "films", "movie", "movies", "cover", "covers", "dvd", *_POSTERS})
"""Words beside which only those of folders count: ``icon-2005-movie.png``."""
_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Named:
    """What an address says: a kind of :data:`KINDS`, and by which word; "" where a film cannot be meant."""

    kind: str
    word: str


class NamePattern:
    """Drops what its address calls of a kind that is not wanted.

    Args:
        wanted: labels that are looked for.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        known = LABELS.issuperset(wanted)
        self._kinds = {kind for kind, labels in KINDS.items() if (known and labels.isdisjoint(wanted)) or not labels}

    def __call__(self, candidate: Candidate, page: Page) -> tuple[bool, Reason]:
        """(True, RELEVANT) or (False, NAME_PATTERN). Kept is what may be named after the film the page is about."""
        named = read_name(candidate.url)
        if named is None or named.kind not in self._kinds or (named.word and named.word in _about(page)):
            return True, Reason.RELEVANT
        return False, Reason.NAME_PATTERN


@lru_cache(maxsize=4096)  # a site's logo and icons are on all its pages
def read_name(url: str) -> Named | None:
    """What ``url`` says it is; None where it says nothing, or not surely."""
    host, path = _parts(url[:_MAX])
    named = _read_host(host, path)
    if named is not None:
        return named
    *folders, name = [_CAMEL.sub("-", each) for each in path.split("/")]
    stem, _, ending = name.lower().rpartition(".")
    if not stem or len(ending) > 5:
        stem, ending = name.lower(), ""
    words = [word for word in _GAPS.split(stem) if word]
    lower = [folder.lower() for folder in folders]
    if not _POSTERS.isdisjoint(words):
        return None
    named = _read_folders(lower, stem)
    if named is not None or not _FILMS.isdisjoint(words) or not _FILMS.isdisjoint(_GAPS.split("/".join(lower[-2:]))):
        return named
    return _read_file(words, stem, ending)


def _read_host(host: str, path: str) -> Named | None:
    labels = host.split(".")
    for begin in range(len(labels) - 1):
        for kind, prefix in _AT["host"].get(".".join(labels[begin:]), ()):
            if path.startswith(prefix):
                return Named(kind, "")
    sub = _WORDS["sub"].get(labels[0]) if len(labels) > 2 else None
    return None if sub is None else Named(sub, "")


def _read_folders(folders: list[str], stem: str) -> Named | None:
    for position, folder in enumerate(folders):
        word = _SIZED_FOLDER.sub("", folder)
        if kind := _WORDS["folder"].get(word):
            return Named(kind, word)
        if (kind := _WORDS["deep"].get(word)) and position == len(folders) - 1 and _NUMBER_OR_HASH.fullmatch(stem):
            return Named(kind, word)
    return None


def _read_file(words: list[str], stem: str, ending: str) -> Named | None:
    for word in words:
        if kind := _WORDS["any"].get(word):
            return Named(kind, word)
    core = list(words)
    while core and _STATES.fullmatch(core[-1]):
        core.pop()
    whole = "-".join(core)
    if kind := _WORDS["name"].get(whole) or _WORDS["name"].get("-".join(words)):
        return Named(kind, whole)
    if ending in _PHOTOGRAPHS or not core:
        return None
    if kind := _WORDS["drawn"].get(whole):
        return Named(kind, whole)
    if code := _CODE.fullmatch(stem):
        return Named("flag" if code[1] else "avatar", "flag" if code[1] else "avatar")
    if len(words) > 1:
        for word, place in ((words[0], "first"), (core[-1], "last")):
            if kind := _WORDS[place].get(word):
                return Named(kind, word)
    return None


def _about(page: Page) -> set[str]:
    """Words of the page's title and of its films, and these as a whole."""
    texts = [page.title, *(film.name for film in page.films)]
    words = {word for text in texts for word in _GAPS.split(text.lower())}
    return words | {"-".join(filter(None, _GAPS.split(text.lower()))) for text in texts}


def _parts(url: str) -> tuple[str, str]:
    """Host, lower-case and without port, and path, percent-decoded; of a script, the file that its query names."""
    address, _, query = url.partition("#")[0].partition("?")
    authority, _, path = address.partition("://")[2].partition("/")
    host = authority.rpartition("@")[2].partition(":")[0].lower()
    if "." in query and (found := _IN_QUERY.findall(unquote(query))):
        path = found[-1].partition("://")[2].partition("/")[2] if "://" in found[-1] else found[-1]
    return host, unquote(path.lstrip("/")) if "%" in path else path.lstrip("/")


def _read_table() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, list[tuple[str, str]]]]]:
    words: dict[str, dict[str, str]] = {
        place: {} for place in ("sub", "folder", "deep", "any", "name", "drawn", "first", "last")
    }
    at: dict[str, dict[str, list[tuple[str, str]]]] = {"host": {}}
    for line in filter(None, _TABLE.splitlines()):
        kind, place, *names = line.split()
        for name in names:
            if place == "host":
                host, _, prefix = name.partition("/")
                at["host"].setdefault(host, []).append((kind, prefix))
            else:
                words[place][name] = kind
    return words, at


_WORDS, _AT = _read_table()
