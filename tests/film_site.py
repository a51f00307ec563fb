"""A film site as they are: three departments with habits of their own, four languages, and dozens of pictures a page.

``/db/`` is a large data base (hashed names, sizes in folders, sets of sizes, lazy loading), ``/mag/`` a magazine on a
blog program (one folder for everything), ``/kino/`` an old national data base (scripts, numbers, few words, sizes that
are wrong). Everything is made from a seed; ``film_site_server.py`` serves it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape

Size = tuple[int, int]
PER_LIST = 24
ADJECTIVES = """
    Silent Last Broken Crimson Distant Hollow Paper Winter Second Burning Glass Forgotten Blue Iron Velvet
""".split()  # noqa: SIM905
NOUNS = """
    Harbour Witness River Garden Letter Station Orchard Crossing Mirror Ember Winter Island Parade Alibi
""".split()  # noqa: SIM905
AWKWARD = (
    "Avatar",
    "Icon",
    "Star",
    "The Logo",
    "Flags of Ash",
    "Pixel",
    "Banner",
    "Blank",
    "Buttons",
    "The Emoji Story",
)
"""Films whose names are those of things that are no films."""
GIVEN = """
    Ines Rowan Mei Luc Abel Sora Colm Edda Piet Noor Ivo June Victor Lola Jonas Greta Elsie Tobias Hanna Marek
""".split()  # noqa: SIM905
FAMILIES = """
    Okafor Hale Tanaka Ferro Kern Diaz Rourke Strand Maas Castell Brand Adeyemi Maine Verne Eck Salvi Marsh
""".split()  # noqa: SIM905
LANGUAGES = ("en", "de", "fr", "cs")
POSTER_ALTS = {
    "en": ("{t}", "{t} ({y})", "Poster for {t}", "{t} movie poster", "", "{t} ({y}) - Poster", "poster"),
    "de": ("Filmplakat {t}", "{t}", "Plakat zu {t} ({y})", "Cover {t}", ""),
    "fr": ("Affiche du film {t}", "{t} - affiche", "{t}", "affiche", ""),
    "cs": ("{t} - plakát", "{t}", "plakát filmu {t}", "", "obrázek"),
}
STILL_ALTS = {
    "en": ("Still from {t}", "{a} in {t}", "{t}", "", "{t} ({y})", "Image {n}"),
    "de": ("Szene aus {t}", "{a} in {t}", "Bild {n}", ""),
    "fr": ("Photo du film {t}", "{t} : photo {a}", "", "{t}"),
    "cs": ("{t} - fotografie {n}", "", "{a}", "{t}"),
}
SOCIAL = ("facebook", "twitter", "instagram", "youtube", "rss")
COUNTRIES = ("us", "gb", "de", "fr", "cz", "jp", "it", "es")


@dataclass(frozen=True, slots=True)
class Picture:
    """One file: what it shows, and which one of its kind; ``film`` is the number of the film whose poster it is."""

    kind: str
    number: int
    size: Size
    film: int | None = None
    form: str = "jpg"


@dataclass(frozen=True, slots=True)
class Film:
    """Department: ``db``, ``mag`` or ``kino``."""

    number: int
    title: str
    year: int
    cast: tuple[int, ...]
    department: str
    language: str

    @property
    def slug(self) -> str:
        """As in addresses."""
        return self.title.lower().replace(" ", "-")


class FilmSite:
    """The pages and what is on them: ``pages`` path → HTML, ``pictures`` path with query → :class:`Picture`.

    ``references`` counts every place where a page shows a picture.
    """

    def __init__(self, films: int = 500, seed: int = 1) -> None:
        self.seed = seed
        self.pictures: dict[str, Picture] = {}
        self.pages: dict[str, str] = {}
        self.references = 0
        chance = random.Random(seed)
        self.people = [f"{chance.choice(GIVEN)} {chance.choice(FAMILIES)}" for _ in range(max(20, films * 2))]
        self.films = [self._film(number, chance) for number in range(films)]
        for department in ("db", "mag", "kino"):
            here = [film for film in self.films if film.department == department]
            for film in here:
                body = partial(getattr(self, f"_{department}_film"), film, here)
                self._page(film, department, f"/{department}/film/{film.number}-{film.slug}", film.title, body)
            lists = [here[i : i + PER_LIST] for i in range(0, len(here), PER_LIST)]
            for number, listed in enumerate(lists):
                body = partial(self._list, department, listed, number, len(lists))
                self._page(None, department, f"/{department}/list/{number}", f"Films, page {number + 1}", body)
        links = "".join(f'<p><a href="/{name}/list/0">{name}</a></p>' for name in ("db", "mag", "kino"))
        self.pages["/"] = f"<!doctype html><title>Film</title>{links}"

    def poster_films(self, paths: set[str], full: bool = False) -> set[int]:
        """The films of which one of ``paths`` is a poster; ``full``: in its largest size."""
        found = (self.pictures[path] for path in paths if path in self.pictures)
        return {each.film for each in found if each.film is not None and (not full or each.size[0] >= 300)}

    def _film(self, number: int, chance: random.Random) -> Film:
        title = f"The {chance.choice(ADJECTIVES)} {chance.choice(NOUNS)}"
        if number % 50 == 7:
            title = AWKWARD[number // 50 % len(AWKWARD)]
        department = ("db", "db", "mag", "kino")[number % 4]
        language = "en" if department == "db" else ("cs" if department == "kino" else LANGUAGES[number // 4 % 3])
        cast = tuple(chance.sample(range(len(self.people)), 9))
        return Film(number, title, chance.randint(1931, 2024), cast, department, language)

    # --- pieces of pages ----------------------------------------------------------------------------------------

    def _page(self, film: Film | None, department: str, path: str, title: str, body: Callable[[], str]) -> None:
        chance = self._chance = random.Random(f"{self.seed} {path}")
        lead = f"{title} ({film.year})" if film else title
        head = f"<!doctype html><html><head><title>{escape(lead)}</title>"
        inner = body()  # may add to the head
        before, after = self._chrome(department, chance)
        self.pages[path] = f"{head}</head><body>{before}<h1>{escape(title)}</h1>{inner}{after}</body></html>"

    def _img(self, path: str, picture: Picture, alt: str | None = "", more: str = "", attribute: str = "src") -> str:
        self.pictures.setdefault(path, picture)
        self.references += 1
        words = "" if alt is None else f' alt="{escape(alt)}"'
        return f'<img {attribute}="{escape(path)}"{words}{f" {more}" if more else ""}>'

    def _add(self, path: str, picture: Picture) -> str:
        self.pictures.setdefault(path, picture)
        return path

    def _hash(self, *key: object) -> str:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return "".join(random.Random(f"{self.seed} {key}").choices(letters, k=27))

    def _say(self, alts: dict[str, tuple[str, ...]], film: Film, number: int = 1) -> str:
        actor = self.people[film.cast[number % len(film.cast)]]
        text = self._chance.choice(alts[film.language])
        return text.format(t=film.title, y=film.year, a=actor, n=number)

    def _chrome(self, department: str, chance: random.Random) -> tuple[str, str]:
        """What is on every page of a department, and the advertising and counting that is new on each."""
        icon = partial(Picture, "icon", form="png")
        top = [self._img(f"/{department}/assets/logo.png", Picture("logo", 1, (220, 60), form="png"), "Home")]
        sprite = Picture("icon", 2, (400, 400), form="png")
        for number, name in enumerate(SOCIAL):
            size = 'width="24" height="24"' if department != "kino" else ""
            top.append(self._img(f"/{department}/assets/{name}.png", icon(number, (48, 48)), name.title(), size))
        for number, name in enumerate(("search", "menu", "user", "arrow-right", "play", "heart")):
            top.append(self._img(f"/{department}/assets/icons/{name}.png", icon(10 + number, (64, 64)), ""))
        top.append(f'<i style="background:url(/{department}/assets/sprite-2x.png)"></i>')
        self._add(f"/{department}/assets/sprite-2x.png", sprite)
        self.references += 1
        for number, code in enumerate(COUNTRIES[:5]):
            flag = f"/{department}/assets/flags/{code}.png"
            top.append(self._img(flag, icon(30 + number, (32, 22)), code, 'width="16" height="11"'))
        bottom = [self._advertisement(department, chance) for _ in range(3)]
        for number, name in enumerate(("visa", "paypal", "app-store-badge", "google-play")):
            bottom.append(self._img(f"/{department}/assets/pay/{name}.png", icon(50 + number, (120, 40)), name))
        token = chance.getrandbits(48)
        bottom.append(self._img(f"/count/pixel.gif?site={department}&r={token}", Picture("pixel", 0, (1, 1)), None))
        more = f"/m/hit?c=7&u={token:x}"
        bottom.append(self._img(more, Picture("pixel", 0, (1, 1)), "", 'width="1" height="1" style="display:none"'))
        return "<header>" + "".join(top) + "</header>", "<footer>" + "".join(bottom) + "</footer>"

    def _advertisement(self, department: str, chance: random.Random) -> str:
        number = chance.randrange(10_000)
        size = chance.choice(((728, 90), (300, 250), (160, 600), (300, 600)))
        said = f'width="{size[0]}" height="{size[1]}"' if chance.random() < 0.6 else ""
        paths = {
            "db": f"/adserver/creative/{number}.jpg",
            "mag": f"/mag/wp-content/uploads/partner/{chance.choice(('spring', 'mega', 'neu'))}-angebot-{number}.jpg",
            "kino": f"/kino/image.php?banner={number}",
        }
        alt = chance.choice(("", "Advertisement", "Anzeige", "Publicité", "50% off", "Reklama"))
        return self._img(paths[department], Picture("advertisement", number, size), alt, said)

    def _list(self, department: str, films: list[Film], number: int, lists: int) -> str:
        found = []
        for film in films:
            thumb = getattr(self, f"_{department}_thumb")(film)
            found.append(f'<li><a href="/{department}/film/{film.number}-{film.slug}">{thumb}{film.title}</a></li>')
        following = f'<a href="/{department}/list/{number + 1}">next</a>' if number + 1 < lists else ""
        return f"<ul>{''.join(found)}</ul>{following}"

    def _related(self, film: Film, here: list[Film]) -> list[Film]:
        return self._chance.sample(here, min(8, len(here)))

    def _links(self, department: str, films: list[Film]) -> str:
        thumb = getattr(self, f"_{department}_related")
        return "".join(f'<a href="/{department}/film/{f.number}-{f.slug}">{thumb(f)}</a>' for f in films)

    # --- the large data base ------------------------------------------------------------------------------------

    def _db_file(self, film: Film, width: int) -> str:
        path = f"/db/t/p/w{width}/{self._hash('poster', film.number)}.jpg"
        return self._add(path, Picture("poster", film.number, (width, width * 3 // 2), film.number))

    def _db_thumb(self, film: Film) -> str:
        path = self._db_file(film, 185)
        return self._img(path, self.pictures[path], film.title, 'width="185" height="278" loading="lazy"')

    def _db_related(self, film: Film) -> str:
        path = self._db_file(film, 92)
        more = 'width="92" height="138"' if film.number % 3 else ""
        return self._img(path, self.pictures[path], film.title, more)

    def _db_film(self, film: Film, here: list[Film]) -> str:
        chance = self._chance
        sizes = [(width, self._db_file(film, width)) for width in (92, 185, 500)]
        srcset = ", ".join(f"{path} {width}w" for width, path in sizes)
        poster = self._img(sizes[1][1], self.pictures[sizes[1][1]], self._say(POSTER_ALTS, film), f'srcset="{srcset}"')
        hero = f"/db/t/p/w1920_and_h800_multi_faces/{self._hash('hero', film.number)}.jpg"
        self._add(hero, Picture("still", film.number * 10 + 8, (1920, 800)))
        self.references += 1
        parts = [f'<div style="background-image: url({hero})">{poster}</div><h2>Top billed cast</h2>']
        for actor in film.cast:
            path = f"/db/t/p/w138_and_h175_face/{self._hash('person', actor)}.jpg"
            face = Picture("portrait", actor, (138, 175))
            parts.append(self._img(path, face, self.people[actor], 'loading="lazy" width="138" height="175"'))
        parts.append("<h2>Media</h2>")
        for number in range(6):
            name, which = self._hash("still", film.number, number), film.number * 10 + number
            small, large = f"/db/t/p/w300/{name}.jpg", f"/db/t/p/w1280/{name}.jpg"
            self._add(large, Picture("still", which, (1280, 720)))
            still = self._img(
                small, Picture("still", which, (300, 169)), self._say(STILL_ALTS, film, number), "", "data-src"
            )
            parts.append(f'<a href="{large}">{still}</a>' if number < 4 else still)
        video = f"/db/vi/{self._hash('video', film.number)[:11]}/hqdefault.jpg"
        parts.append(self._img(video, Picture("still", film.number * 10 + 9, (480, 360)), "Play trailer"))
        for provider in chance.sample(range(20), 3):
            path = f"/db/t/p/original/{self._hash('provider', provider)}.jpg"
            mark = Picture("logo", provider, (200, 200))
            parts.append(self._img(path, mark, f"Streaming {provider}", 'width="50" height="50"'))
        parts += ["<h2>Reviews</h2>", *(self._db_user(chance.randrange(1500)) for _ in range(5))]
        return "".join(parts) + f"<h2>Recommendations</h2>{self._links('db', self._related(film, here))}"

    def _db_user(self, number: int) -> str:
        path = f"/db/t/p/w64_and_h64_face/{self._hash('user', number)}.jpg"
        picture = Picture("portrait" if number % 3 else "product", 5_000 + number, (64, 64))
        return self._img(path, picture, f"user{number}")

    # --- the magazine -------------------------------------------------------------------------------------------

    def _mag_file(self, film: Film, size: str) -> str:
        name = film.slug + ("", "-poster", "-plakat", "-affiche", f"-{film.year}")[film.number % 5]
        width, height = (100, 150) if size == "-100x150" else (600, 900)
        path = f"{_uploads(film)}/{name}-{film.number}{size}.jpg"
        return self._add(path, Picture("poster", film.number, (width, height), film.number))

    def _mag_thumb(self, film: Film) -> str:
        path = self._mag_file(film, "-100x150")
        return self._img(path, self.pictures[path], film.title, 'width="100" height="150"')

    def _mag_related(self, film: Film) -> str:
        path = self._mag_file(film, "")  # the large file, shown small
        return self._img(path, self.pictures[path], "", 'width="60" height="90"')

    def _mag_film(self, film: Film, here: list[Film]) -> str:
        chance = self._chance
        path = self._mag_file(film, "")
        alt = self._say(POSTER_ALTS, film)
        if film.number % 3 == 0:
            poster = self._img(path, self.pictures[path], alt, 'src="/mag/assets/blank.gif"', "data-src")
        elif film.number % 3 == 1:
            small = self._mag_file(film, "-100x150")
            poster = f'<a href="{path}">{self._img(small, self.pictures[small], alt)}</a>'
        else:
            poster = self._img(path, self.pictures[path], alt, 'width="300" height="450"')
        parts = [poster]
        for number in range(5):
            name = (f"{film.slug}-{number}", f"szene-{film.slug}-{number}", f"IMG_{film.number}{number}")[
                film.number % 3
            ]
            still = Picture("still", film.number * 10 + number, (1024, 576))
            more = 'width="1024" height="576"' if number % 2 else ""
            parts.append(self._img(f"{_uploads(film)}/{name}.jpg", still, self._say(STILL_ALTS, film, number), more))
        for actor in film.cast[:3]:
            name = self.people[actor].lower().replace(" ", "-")
            face = Picture("portrait", actor, (300, 300))
            parts.append(self._img(f"/mag/wp-content/uploads/people/{name}-{actor}.jpg", face, self.people[actor]))
        for _ in range(8):
            number = chance.randrange(1500)
            path = f"/mag/avatar/{random.Random(number).getrandbits(128):032x}?s=48&d=mm"
            parts.append(self._img(path, Picture("portrait", 9_000 + number, (48, 48)), "", 'width="48" height="48"'))
        for _ in range(2):
            number = chance.randrange(200)
            path = f"/mag/shop/produkt-{number}.jpg"
            parts.append(self._img(path, Picture("product", number, (240, 240)), f"Soundtrack {number}, CD"))
        return "".join(parts) + self._links("mag", self._related(film, here))

    # --- the old data base --------------------------------------------------------------------------------------

    def _kino_file(self, film: Film, kind: str) -> str:
        width = 150 if kind == "nahled" else 420
        path = f"/kino/image.php?id={film.number * 7 + 1000}&typ={kind}"
        return self._add(path, Picture("poster", film.number, (width, width * 3 // 2), film.number))

    def _kino_thumb(self, film: Film) -> str:
        path = self._kino_file(film, "nahled")
        return self._img(path, self.pictures[path], film.title, 'width="60" height="85"')

    _kino_related = _kino_thumb

    def _kino_film(self, film: Film, here: list[Film]) -> str:
        chance = self._chance
        path = self._kino_file(film, "plakat")
        # The size is that of a template of long ago.
        parts = [self._img(path, self.pictures[path], self._say(POSTER_ALTS, film), 'width="120" height="170"')]
        for number in range(5):
            path = f"/kino/image.php?id={film.number * 7 + number}&typ=foto"
            still = Picture("still", film.number * 10 + number, (640, 480))
            parts.append(self._img(path, still, self._say(STILL_ALTS, film, number)))
        for actor in film.cast[:6]:
            path = f"/kino/image.php?id={actor}&typ=osoba"
            parts.append(self._img(path, Picture("portrait", actor, (120, 160)), self.people[actor]))
        for number in range(5):
            full = "full" if number < 1 + film.number % 5 else "empty"
            parts.append(self._img(f"/kino/gfx/star-{full}.gif", Picture("icon", 3, (16, 16), form="gif"), ""))
        for _ in range(6):
            number = chance.randrange(800)
            path = f"/kino/image.php?id={number}&typ=uzivatel"
            parts.append(self._img(path, Picture("portrait", 20_000 + number, (100, 100)), f"uživatel {number}"))
        parts.append(self._img("/kino/gfx/spacer.gif", Picture("pixel", 0, (1, 1)), None, 'width="400" height="1"'))
        return "".join(parts) + self._links("kino", self._related(film, here))


def _uploads(film: Film) -> str:
    return f"/mag/wp-content/uploads/{2010 + film.number % 12}/{1 + film.number % 12:02}"
