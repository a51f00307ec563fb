"""Genres in one spelling: that of IMDb's ``title.basics``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

CANONICAL = (
    "Action", "Adult", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama", "Family",
    "Fantasy", "Film-Noir", "Game-Show", "History", "Horror", "Music", "Musical", "Mystery", "News", "Reality-TV",
    "Romance", "Sci-Fi", "Short", "Sport", "Talk-Show", "Thriller", "War", "Western",
)  # fmt: skip
"""Of IMDb."""
MAX_GENRES = 12
"""Of one film."""
MAX_GENRE = 40
"""Characters; what is longer is no genre."""

# How others call them: TMDb ("Science Fiction"), Wikidata ("science fiction film"), sites in other languages.
_OTHERS = {
    "Action": "action film, acción, azione, actie, martial arts, superhero, боевик",
    "Adult": "erotic, erotica, pornographic",
    "Adventure": "adventure film, aventure, aventuras, aventura, avventura, abenteuer, приключения",
    "Animation": "animated, animated film, cartoon, anime, animación, animazione, zeichentrick, мультфильм",
    "Biography": "biographical, biopic, bio, biographie, biografía, биография",
    "Comedy": "comedy film, comédie, comedia, commedia, komödie, komedie, комедия, black comedy, slapstick",
    "Crime": "crime film, policier, krimi, crimen, gangster, criminal, криминал",
    "Documentary": "documentary film, documentaire, documental, documentario, dokumentarfilm, doku, документальный",
    "Drama": "drama film, drame, dramma, melodrama, драма",
    "Family": "family film, children, children's, kids, familial, familia, familie, kinderfilm, семейный",
    "Fantasy": "fantasy film, fantastique, fantasía, fantastico, фэнтези",
    "Film-Noir": "film noir, noir, neo-noir",
    "Game-Show": "game show, quiz show",
    "History": "historical, historical film, period, costume drama, histoire, historia, storico, исторический",
    "Horror": "horror film, horreur, terror, orrore, slasher, ужасы",
    "Music": "concert film, concert, musique, música",
    "Musical": "musical film, comédie musicale, musicals, мюзикл",
    "Mystery": "mystery film, mystère, misterio, mistero, detective, whodunit, детектив",
    "News": "newsreel, current affairs",
    "Reality-TV": "reality, reality tv, reality television",
    "Romance": "romantic, romance film, romantic film, love, romantique, romántica, liebesfilm, мелодрама",
    "Sci-Fi": "science fiction, science fiction film, scifi, sf, sci fi, science-fiction, ciencia ficción, "
    "fantascienza, фантастика",
    "Short": "short film, court métrage, kurzfilm, cortometraje, cortometraggio, короткометражный",
    "Sport": "sports, sports film, sport film, deportes",
    "Talk-Show": "talk show, talk",
    "Thriller": "thriller film, suspense, triller, триллер",
    "War": "war film, guerre, guerra, kriegsfilm, военный",
    "Western": "western film, spaghetti western, westerns, вестерн",
}
# Two in one, as TMDb has them for series.
_COMPOUND = {
    "action and adventure": ("Action", "Adventure"),
    "sci fi and fantasy": ("Fantasy", "Sci-Fi"),
    "science fiction and fantasy": ("Fantasy", "Sci-Fi"),
    "war and politics": ("War",),
    "romantic comedy": ("Comedy", "Romance"),
    "romantic comedy film": ("Comedy", "Romance"),
    "comedy drama": ("Comedy", "Drama"),
    "dramedy": ("Comedy", "Drama"),
    "action comedy": ("Action", "Comedy"),
    "crime drama": ("Crime", "Drama"),
    "musical comedy": ("Comedy", "Musical"),
    "comedy horror": ("Comedy", "Horror"),
    "silent": (),
    "silent film": (),
    "tv movie": (),
    "feature film": (),
    "feature": (),
    "film": (),
    "movie": (),
    "other": (),
    "n a": (),
    "unknown": (),
    "no genres listed": (),
    "n": (),
}
_BETWEEN = re.compile(r"[,;|/\n\t]+")
_SIGNS = re.compile(r"[\W_]+")


def _folded(text: str) -> str:
    return " ".join(_SIGNS.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")).split())


_KNOWN: dict[str, tuple[str, ...]] = (
    {_folded(name): (name,) for name in CANONICAL}
    | {_folded(other): (name,) for name, others in _OTHERS.items() for other in others.split(", ")}
    | _COMPOUND
)


def read_genres(texts: Iterable[str]) -> tuple[str, ...]:
    """Genres as any source writes them ("Sci-Fi, Drama", "science fiction film"), sorted, each once.

    What is not known stays, cleaned: without control signs, its first letter capital. At most :data:`MAX_GENRES`.
    """
    found: set[str] = set()
    for text in texts:
        if "<" in text or ">" in text:
            continue
        whole = _KNOWN.get(_folded(text[:200]))
        if whole is not None:
            found.update(whole)
            continue
        for part in _BETWEEN.split(text[:1000])[: 2 * MAX_GENRES]:
            found.update(_one(part))
    ours = sorted(found.intersection(CANONICAL))
    return tuple(sorted([*ours, *sorted(found.difference(CANONICAL))][:MAX_GENRES]))


def _one(text: str) -> tuple[str, ...]:
    folded = _folded(text)
    if not folded:
        return ()
    for name in (folded, folded.removesuffix(" film"), folded.removesuffix(" films"), folded.removesuffix(" movie")):
        if name in _KNOWN:
            return _KNOWN[name]
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    shown = shown.encode("utf-8", "ignore").decode()
    if not any(sign.isalpha() for sign in shown) or len(shown) > MAX_GENRE:
        return ()
    return (shown[:1].upper() + shown[1:],)
