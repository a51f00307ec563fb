"""Titles of films: what two spellings of one have in common, and which film a few words beside a picture name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

MAX_TITLE = 300
"""Characters of a title that are kept."""
MAX_KEY = 200
"""Characters of a key; of a longer one the beginning and a hash."""
FIRST_YEAR, LAST_YEAR = 1870, 2100
"""A number outside of this is no year of a film."""

# Letters that do not decompose into a letter and an accent.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "&": " and "}
)
_SILENT = re.compile("['\u2018\u2019\u02bc`\u00b4\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_ACCENTED = ("LATIN", "GREEK", "CYRILLIC")
"""Scripts in which a mark on a letter is an accent; in others it is a letter of its own."""
_ARTICLES = frozenset({"the", "a", "an"})
_INVERTED = re.compile(r"^(.+), (the|a|an|le|la|les|il|lo|el|los|las|der|die|das|den|det|l')$", re.IGNORECASE)
# Numerals of one letter stay as they are: "Malcolm X", "V", "I".
_NUMERALS = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
_ROMAN = {numeral: str(number) for number, numeral in enumerate(_NUMERALS.split(), 1) if len(numeral) > 1}
_YEAR = r"(18[7-9][0-9]|19[0-9]{2}|20[0-9]{2})"
_WHAT = (
    r"films?|filme|filmi|movies?|cine|película|pelicula|cinema|motion picture|фильм|фільм|филм|映画|电影|電影|영화|tv"
    r"|series?|miniseries|serie|série|television|sérial|serial|documentary|documentaire|feature|silent|short|animated"
    r"|animation|anime|cartoon|video|dvd|blu-ray|remake|sequel"
)
# What stands in brackets behind a title to tell it from others: "(1972)", "(1972 film)", "(film, 1972)", "(TV series)".
_BRACKETS = re.compile(r"^(.*\S)\s*[(\[（]([^()\[\]（）]{1,60})[)\]）]$", re.DOTALL)
_IN_BRACKETS = re.compile(
    rf"(?:(?:[^\W\d_][\w.-]*[ ,]+){{0,3}}(?:{_WHAT})(?:[ ,]+[^\W\d_][\w.-]*){{0,3}})", re.IGNORECASE
)
_ONLY_YEAR = re.compile(rf"{_YEAR}(?:\s*[-–—/]\s*(?:[0-9]{{2,4}})?)?")
_LEADING_YEARED = re.compile(rf"^(.{{1,200}}?\S)\s*\(([^()]{{0,30}}\b{_YEAR}\b[^()]{{0,30}})\)")

# Words that say what a picture is, and not of which film.
_OF_PICTURES = """
    poster posters plakat plakát filmplakat kinoplakat affiche affiches cartel carteles póster locandina manifesto
    juliste plakater filmaffisch affisch плакат постер афиша ポスター 포스터 海报 海報 cover covers coverart dvd bluray
    blu ray artwork art image images img photo photos picture pictures pic still stills thumbnail thumb banner backdrop
    onesheet sheet lobbycard lobby card teaser theatrical official original release front back large small full hd new
    home video vhs movie movies film films cinema cine tv series show season key visual logo icon title trailer
    wallpaper scan print vintage reprint quad daybill insert final international us uk version
"""
_LITTLE = "of for from the a an de du des der die das von zu zum la le les el il del di da by and"
# Of buttons and other furniture of pages. There are films of some of these names; beside a picture they mean none.
_FURNITURE = """
    home menu search login user avatar profile news share facebook twitter instagram youtube download play loading
    advertisement ad ads close next previous more gallery shop cart store buy tickets showtimes read watch now here
    untitled unknown none null undefined placeholder default advert arrow button header footer background main
"""
_PHRASES = re.compile(
    r"^(?:(?:official|original|theatrical|vintage|movie|film|cinema|release)\s+)*"
    r"(?:poster|affiche|plakat|filmplakat|cartel|locandina|cover|still|image|photo|dvd cover|постер|плакат)"
    r"(?:\s+(?:of|for|from|de|du|zu|von|di|del|к)(?:\s+the\s+(?:movie|film))?:?|\s*[:–—-])\s+"
    r"|[\s:–—-]+(?:\(?(?:(?:official|original|theatrical|release|teaser|final|us|uk|dvd|blu-ray|movie|film|one)\s+)*"
    r"(?:poster|affiche|plakat|filmplakat|cover|sheet|постер|плакат|artwork)(?:\s+art)?)\)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Titled:
    """A title without what was put behind it to tell it from others, and the year that stood there."""

    title: str
    year: int | None = None


def title_key(text: str) -> str:
    """What all spellings of a title have in common: without case, accents, signs and an English article in front.

    Numerals of several letters are numbers: "Rocky II" and "Rocky 2" have one key, "Rocky" another. A title of signs
    only is its own key. At most :data:`MAX_KEY` characters; empty only for an empty title.
    """
    return _key(text[:2000])


@lru_cache(16384)
def _key(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    if inverted := _INVERTED.match(text.strip()):
        text = f"{inverted[2]} {inverted[1]}"
    words = _words(text)
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    words = [words[0], *(_ROMAN.get(word, word) for word in words[1:])] if words else words
    key = " ".join(words) or " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if len(key) > MAX_KEY:
        digest = blake2b(key.encode(), digest_size=8).hexdigest()
        key = f"{key[: MAX_KEY - 17]} {digest}"
    return key.replace("\0", "")


def _words(text: str) -> list[str]:
    text = _SILENT.sub("", text.casefold()).translate(_LETTERS)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _without_accents(unicodedata.normalize("NFKD", text)))
        text = _SILENT.sub("", text.casefold()).translate(_LETTERS)
    words = "".join(sign if sign.isalnum() or _is_mark(sign) else " " for sign in text).split()
    return _acronyms_joined(words)


def _is_mark(sign: str) -> bool:
    return not sign.isascii() and unicodedata.category(sign) in {"Mn", "Mc"}


def _without_accents(text: str) -> str:
    kept: list[str] = []
    accented = False
    for sign in text:
        if unicodedata.category(sign) != "Mn":
            accented = sign.isascii() or unicodedata.name(sign, "").startswith(_ACCENTED)
        elif accented:
            continue
        kept.append(sign)
    return "".join(kept)


def _acronyms_joined(words: list[str]) -> list[str]:
    """``e t`` as ``et``: E.T. and ET, M*A*S*H and MASH."""
    joined: list[str] = []
    letters = ""
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha() and word.isascii():
            letters += word
            continue
        if letters:
            joined.append(letters)
            letters = ""
        if word:
            joined.append(word)
    return joined


def split_title(text: str) -> Titled:
    """A title as lists and pages write it: "Solaris (1972 film)" is "Solaris" of 1972, "M (film)" is "M".

    What stands in brackets for another reason stays: "Birds of Prey (and the Fantabulous Emancipation)".
    """
    title, year = " ".join(text[: 4 * MAX_TITLE].split())[:MAX_TITLE].strip(), None
    for _ in range(2):
        found = _BRACKETS.match(title)
        if not found:
            break
        said = _meant_by_brackets(found[2])
        if said is None or (year and said):
            break
        title, year = found[1].strip(), said or year
    return Titled(title, year)


def _meant_by_brackets(text: str) -> int | None:
    """The year in brackets, 0 where they say only that it is a film; None: they are part of the title."""
    text = text.strip()
    if only := _ONLY_YEAR.fullmatch(text):
        return int(only[1])
    years = re.findall(rf"(?<![0-9]){_YEAR}(?![0-9])", text)
    rest = re.sub(rf"(?<![0-9]){_YEAR}(?![0-9])", " ", text).strip(" ,-")
    if len(years) > 1 or not _IN_BRACKETS.fullmatch(" ".join(rest.split())):
        return None
    return int(years[0]) if years else 0


def begins_with_title(text: str) -> Titled | None:
    """The film of a page's title such as "Solaris (1972) – Film Archive"; None where it does not begin with one."""
    found = _LEADING_YEARED.match(" ".join(text[: 4 * MAX_TITLE].split()))
    if not found:
        return None
    titled = split_title(f"{found[1]} ({found[2]})")
    return titled if titled.year else None


def read_text(text: str) -> Titled | None:
    """The film that the words beside a picture may name: "Movie poster of Solaris (1972)".

    None where they say only what a picture is ("a still", "DVD cover"), or are too long to be a title.
    """
    text = " ".join(text[: 4 * MAX_TITLE].split())
    if not text or len(text) > 150:
        return None
    # Twice: "Solaris (1972) poster" has its brackets within, "Poster of Solaris (1972)" at the end.
    for _ in range(2):
        text = _PHRASES.sub("", text).strip(' -–—:|,"“”„«»')
    titled = split_title(text)
    title = _PHRASES.sub("", titled.title).strip(' -–—:|,"“”„«»')
    words = title_key(title).split()
    if not words or len(words) > 15 or _EMPTY_WORDS.issuperset(words):
        return None
    return Titled(title, titled.year)


def is_telling(text: str) -> bool:
    """Do the words say more than that there is a picture?"""
    return not _PICTURE_WORDS.issuperset(_words(text[:1000]))


def names_film(text: str, title: str, year: int | None, more: tuple[str, ...] = ()) -> bool:
    """Do the words beside a picture name just this film, given that it may be this one?

    Beside its title they hold nothing but its year, words for pictures, and words of ``more`` (its directors, in the
    form of keys): "Rocky II poster" does not name "Rocky", nor "Solaris (2002)" the film of 1972.
    """
    if not (wanted := title_key(title).split()):
        return False
    words = title_key(text[:1000]).split()
    if len(words) > 60:
        return False
    allowed = _PICTURE_WORDS.union(more)
    if year is not None:
        allowed = allowed.union([str(year)])
    for start in range(len(words) - len(wanted) + 1):
        if words[start : start + len(wanted)] == wanted and allowed.issuperset(
            (*words[:start], *words[start + len(wanted) :])
        ):
            return True
    return False


def people_words(names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The words of names of people that tell them apart: sorted, without initials."""
    return tuple(sorted({word for name in names[:20] for word in _words(name[:200]) if len(word) > 2})[:40])


_PICTURE_WORDS = frozenset(_words(_OF_PICTURES)) | frozenset(_LITTLE.split())
_EMPTY_WORDS = _PICTURE_WORDS | frozenset(_FURNITURE.split())
