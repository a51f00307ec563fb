"""The real part of the training text, read from a folder of Wikipedia material.

Two kinds of file are looked for, at any depth; everything else is passed over:

- lists of films, ``.json`` or ``.json.gz``: objects with ``title``, ``year``, ``cast`` and ``thumbnail``, ``…_width``,
  ``…_height`` (the form of github.com/prust/wikipedia-movie-data), or with ``name``, ``image``, ``caption`` (the values
  of a film's infobox);
- wikitext: ``.xml``, ``.bz2`` and ``.txt``, whole dumps or pieces of them.
"""

from __future__ import annotations

import bz2
import gzip
import html
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from models.text.generate import Example, Subjects

MAX_BYTES = 64_000_000
"""Read of one file: pieces of dumps are wanted here, not all of Wikipedia."""

PORTRAIT = 1.2
"""Height over width from which an image of a film's article counts as its poster; flatter ones are stills mostly."""

_PHRASES = 3_000
_LANGUAGE = re.compile(r'xml:lang="([a-z-]{2,12})"')
_LANGUAGE_OF_FILE = re.compile(r"([a-z]{2,3})(?:wiki|\.xml)")
_TITLE = re.compile(r"<title>(.*?)</title>")
_FILE = re.compile(
    r"\[\[\s*(?:file|image|fil|bild|datei|fichier|archivo|imagen|immagine|ficheiro|imagem|bestand|afbeelding|plik|grafika"
    r"|файл|изображение|зображення|soubor|tiedosto|kuva|fájl|kép|dosya|resim|fișier|αρχείο|картинка|ファイル|画像|文件|파일"
    r"|ملف|پرونده|קובץ|चित्र|ไฟล์|tập tin|berkas|fitxer|slika|датотека)"
    r"\s*:\s*([^|\]\n]+)((?:\|(?:[^\[\]]|\[\[[^\]]*\]\])*)?)\]\]",
    re.IGNORECASE,
)
_FILM = re.compile(r"\{\{\s*infobox[ _]film\s*(?:<!--.*?-->\s*)?\|(.{0,6000})", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"\|\s*(name|image|caption|alt)\s*=[ \t]*([^\n]*)")
_LINK = re.compile(r"\[\[([^\[\]|:#]{3,40})(?:\||\]\])")
_MARKUP = re.compile(r"\[\[(?:[^\]|]*\|)?|\]\]|'{2,}|<[^>]*>|\{\{[^}]*\}\}|https?://\S+")
_FORMAT = re.compile(
    r"(?:thumb|mini|frame|right|left|center|none|upright|border|sub|\d*x?\d+ ?px)\b|[^= ]{1,12}=|.{0,12}$",
    re.IGNORECASE,
)
_ALT = re.compile(r"\|\s*alt\s*=\s*([^|]*)", re.IGNORECASE)
_ADVERT = re.compile(r"poster|affiche|plakat|cartel|locandina", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Candidates of real articles, and the subjects that made-up ones are about."""

    examples: list[Example]
    subjects: Subjects


def read_corpus(folder: Path, seed: int = 7) -> Corpus:
    """Everything of use below ``folder``. The source of an example is the folder that its file lies in.

    Raises:
        ValueError: no list of films, or no image of any other article, was found.
    """
    rng = random.Random(seed)
    examples: dict[str, Example] = {}
    films: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    phrases: dict[str, dict[str, None]] = {}
    # Small files first: what a larger collection repeats keeps the language and the source of the smaller one.
    for file in sorted((f for f in folder.rglob("*") if f.is_file()), key=lambda f: (f.stat().st_size, f.as_posix())):
        if file.name.endswith((".json", ".json.gz")):
            found = _films(file, films, rng)
        elif file.suffix in {".xml", ".bz2", ".txt"}:
            found = _articles(file, phrases, rng)
        else:
            continue
        for example in found:
            examples.setdefault(example.url.rpartition("/")[2], example)
    if not films or all(example.poster for example in examples.values()):
        raise ValueError(
            f"{folder}: found {len(films)} films and {len(examples)} images;"
            " expected a list of films (JSON) and wikitext"
        )
    names = {language: sorted(found) for language, found in sorted(phrases.items())}
    return Corpus(list(examples.values()), Subjects([films[title] for title in sorted(films)], names))


def _films(file: Path, films: dict[str, tuple[str, int, tuple[str, ...]]], rng: random.Random) -> Iterator[Example]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
            content = json.loads(stream.read(MAX_BYTES))
    except (ValueError, OSError, EOFError):
        return
    for film in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        title = film.get("title") or film.get("name") if isinstance(film, dict) else None
        if not isinstance(title, str):
            continue
        name = _poster_of(film)
        if name or "cast" in film:
            year = film.get("year")
            actors = [actor for actor in film.get("cast") or () if isinstance(actor, str) and " " in actor]
            films.setdefault(title, (title, year if isinstance(year, int) else 2018, tuple(actors)))
        if name:
            said = [title, f"{title} poster", "Theatrical release poster", _plain(str(film.get("caption") or ""))]
            alt, hint, caption = (rng.choice(said) if rng.random() < share else "" for share in (0.5, 0.1, 0.5))
            yield Example(alt, hint, caption, _url(name), True, file.parent.name, "en", title)


def _poster_of(film: dict[str, Any]) -> str:
    """The file name of a film's poster; empty where it has none, or one that is not upright."""
    thumbnail = film.get("thumbnail")
    if isinstance(thumbnail, str):
        upright = (film.get("thumbnail_height") or 0) > PORTRAIT * (film.get("thumbnail_width") or 1)
        parts = unquote(thumbnail).split("/")
        name = parts[-2] if "/thumb/" in thumbnail else parts[-1]
        return name if upright else ""
    image = film.get("image")
    return _plain(image).removeprefix("File:") if isinstance(image, str) and "." in image else ""


def _articles(file: Path, phrases: dict[str, dict[str, None]], rng: random.Random) -> Iterator[Example]:
    try:
        with bz2.open(file) if file.suffix == ".bz2" else file.open("rb") as stream:
            text = html.unescape(stream.read(MAX_BYTES).decode("utf-8", "replace"))
    except (OSError, EOFError):
        return
    # Of pieces cut from dumps the name tells more than the head, which is often copied from another piece.
    stated = _LANGUAGE_OF_FILE.match(file.name) or _LANGUAGE.search(text[:3_000])
    language = stated[1] if stated else "en"
    known = phrases.setdefault(language, {})
    for page in text.split("<page"):
        subject = _TITLE.search(page)
        film = _FILM.search(page)
        values = {key: _plain(value) for key, value in reversed(_PARAMETER.findall(film[1]))} if film else {}
        name = values.get("image", "").removeprefix("File:").removeprefix("Image:").strip()
        if "." in name:
            work = values.get("name") or (subject[1] if subject else name)
            alt, caption = values.get("alt", ""), values.get("caption", "")
            yield Example(alt, "", caption, _url(name), True, file.parent.name, language, work)
        for named, options in _FILE.findall(page):
            parts = [part.strip() for part in re.split(r"\|(?![^\[]*\]\])", options)]
            caption = _plain(parts[-1]) if parts and not _FORMAT.fullmatch(parts[-1]) else ""
            alt = _plain(found[1]) if (found := _ALT.search(options)) else ""
            # Articles about films and theatres show posters too; the name of the file mostly says so.
            if not (_ADVERT.search(named + caption + alt) or (film and len(named) < 4)):
                alt = alt or (caption if rng.random() < 0.3 else "")
                yield Example(alt, "", caption, _url(named.strip()), False, file.parent.name, language, named)
        for phrase in _LINK.findall(page):
            if len(known) < _PHRASES:
                known.setdefault(phrase.strip())


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", html.unescape(text)).split())


def _url(name: str) -> str:
    """An address for the file ``name``. Where a wiki keeps it says which law it is under, not what it shows."""
    return f"https://example.org/images/{quote(name.replace(' ', '_'), safe='')}"
