"""The pages of the sample site: "The Lantern, a small cinema archive"."""

from __future__ import annotations

from posterbot.sample import markup
from posterbot.sample.films import BY_SLUG, FILMS, Film
from posterbot.sample.layout import STYLE, page
from posterbot.sample.markup import HOST, MARKUPS

ROBOTS = f"""\
User-agent: *
Disallow: /private/
Sitemap: http://{HOST}/sitemap.xml
"""
PER_PAGE = 8
STILLS = (
    "night-street",
    "dunes",
    "evening-sea",
    "moonlit-bay",
    "old-wall",
    "snow-ridge",
    "fir-slope",
    "lake",
    "storm-field",
    "river-bend",
)
GOODS = {
    "books": (
        "the-cartographers-daughter",
        "a-short-history-of-film-stock",
        "salt-and-silver",
        "the-projectionist",
        "garden-of-small-hours",
        "learning-to-splice",
    ),
    "records": ("tidal-rooms", "paper-moons", "low-winter-sun", "the-ninth-reel"),
    "goods": ("mug", "film-can", "tote-bag"),
}


def pages() -> dict[str, str]:
    """Path in the site → text, for pages, style sheet, robots.txt and site map."""
    files = {
        "index.html": _home(),
        "about.html": _about(),
        "gallery.html": _gallery(),
        "statistics.html": _statistics(),
    }
    own = [BY_SLUG[slug] for slug in MARKUPS]
    files |= {f"films/{film.slug}.html": _film(film) for film in own}
    files |= _lists(own)
    files |= _journal()
    files |= {"shop/index.html": _shop(), "private/vault.html": _private()}
    urls = "".join(
        f"<url><loc>http://{HOST}/{name}</loc></url>" for name in sorted(files) if not name.startswith("private/")
    )
    sitemap = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>\n'
    return files | {"style.css": STYLE, "robots.txt": ROBOTS, "sitemap.xml": sitemap}


def _still(number: int) -> str:
    return STILLS[number % len(STILLS)]


def _film(film: Film) -> str:
    number = FILMS.index(film)
    head, poster = MARKUPS[film.slug](film)
    if MARKUPS[film.slug] is not markup.linked_data:
        head += markup.movie(film)
    following = FILMS[(number + 1) % len(MARKUPS)]
    body = f"""\
<h1>{film.title}</h1>
<p class="lead">{film.tagline}</p>
<div class="film">
<div>{poster}</div>
<div><dl><dt>Year</dt><dd>{film.year}</dd><dt>Director</dt><dd>{film.director}</dd><dt>Genre</dt><dd>{film.genre}</dd>
<dt>Length</dt><dd>{film.minutes} minutes</dd><dt>With</dt><dd>{", ".join(film.cast)}</dd></dl>
<div class="stills"><img src="/stills/{_still(number)}.jpg" alt="A still" width="600" height="400">
<img src="/stills/{_still(number + 3)}.jpg" alt="A still" width="600" height="400"></div>
<p><a href="/films/index.html">All films</a> ·
<a href="/films/{following.slug}.html">Next: {following.title}</a></p></div>
</div>"""
    return page(f"{film.title} ({film.year})", body, head)


def _lists(films: list[Film]) -> dict[str, str]:
    count = -(-len(films) // PER_PAGE)
    names = ["films/index.html", *(f"films/page-{number}.html" for number in range(2, count + 1))]
    files = {}
    for number, name in enumerate(names):
        rows = "".join(
            f'<li><a href="/films/{film.slug}.html">'
            f'<img src="/stills/{_still(FILMS.index(film))}.jpg" alt="" width="600" height="400">'
            f"<b>{film.title}</b></a><br>{film.year} · {film.genre}</li>\n"
            for film in films[number * PER_PAGE : (number + 1) * PER_PAGE]
        )
        turn = "".join(
            f'<a rel="{rel}" href="/{names[at]}">{text}</a> '
            for rel, at, text in (("prev", number - 1, "← Earlier"), ("next", number + 1, "More →"))
            if 0 <= at < count
        )
        files[name] = page(
            f"Films, page {number + 1}", f'<h1>Films</h1>\n<ul class="grid">\n{rows}</ul>\n<p>{turn}</p>'
        )
    return files


def _home() -> str:
    shown = "".join(
        f'<li><a href="films/{slug}.html"><img src="posters/{slug}.jpg" alt="{markup.alt(BY_SLUG[slug])}"></a></li>\n'
        for slug in ("the-long-noon", "house-of-ash", "gallows-creek")
    )
    masque = BY_SLUG["the-crimson-masque"]
    body = f"""\
<h1>A small archive of films that never were</h1>
<p class="lead">Twenty-five invented films, their posters, stills and papers, kept by people who like the dark.</p>
<ul class="grid">
{shown}<li><img src="{markup.path(masque)}" alt="{markup.alt(masque)}"></li>
</ul>
<p><a href="/programme">This week's programme</a> · <a href="/private/vault.html">Staff entrance</a></p>
<p class="ad"><a href="/shop/index.html">
<img src="/ads/shop.jpg" alt="Books, mugs and bags" width="970" height="250"></a></p>
<p><img src="{markup.PIXEL}" alt=""> <img src="/icons/spinner.gif" alt="Loading" width="120" height="120"></p>"""
    return page("Home", body, f'<meta property="og:image" content="http://{HOST}/stills/night-street.jpg">')


def _about() -> str:
    faces = "".join(
        f'<li><img src="/people/{slug}.jpg" alt="{name}" width="300" height="375"><br>{name}, {task}</li>\n'
        for slug, name, task in (
            ("ines-okafor", "Ines Okafor", "director"),
            ("harald-stone", "Harald Stone", "founder"),
            ("claire-aubin", "Claire Aubin", "restoration"),
            ("leo-marchetti", "Leo Marchetti", "projection"),
        )
    )
    names = (
        "the-lantern",
        "halde-film",
        "orso",
        "nordlys-lab",
        "cine-club-vale",
        "stagecoach",
        "owl-books",
        "reel-radio",
    )
    logos = "".join(f'<img src="/logos/{name}.png" alt="{name}">' for name in names)
    papers = "".join(
        f'<li><img src="/papers/{name}.jpg" alt="A {name}"></li>' for name in ("letter", "programme-sheet", "receipt")
    )
    icons = "".join(
        f'<img src="/icons/{name}.png" alt=""> ' for name in ("mail", "user", "globe", "rss", "heart", "star")
    )
    body = f"""\
<h1>About us</h1>
<p class="lead">The Lantern opened in 1947 with one projector and a leaking roof. {icons}</p>
<ul class="grid">{faces}</ul>
<h2>From the files</h2><ul class="grid">{papers}</ul>
<h2>With the help of</h2><div class="logos">{logos}</div>
<p class="ad"><img src="/ads/members.jpg" alt="Become a Friend" width="728" height="90"></p>"""
    return page("About", body)


def _gallery() -> str:
    stills = "".join(
        f'<figure><img src="/stills/{name}.jpg" alt="">'
        f"<figcaption>{name.replace('-', ' ').capitalize()}</figcaption></figure>\n"
        for name in STILLS
    )
    kingdom = BY_SLUG["kingdom-of-embers"]
    body = f"""\
<h1>Gallery</h1>
<div class="grid">
{stills}{markup.thumbnail(kingdom)[1]}
</div>
<h2>Found in old boxes</h2>
<p><img src="/odd/turned.jpg" alt="A poster, photographed lying down" width="280">
<img src="/odd/for-print.jpg" alt="A print proof"> <img src="/odd/really-a-png.jpg" alt="A wall">
<img src="/odd/cut-short.jpg" alt="A lake, cut short"> <img src="/odd/members-only.jpg" alt="For members">
<img src="/odd/empty.jpg" alt="Nothing"></p>
<p><img src="/media/locked.jpg" alt="Locked"> <img src="/media/broken.jpg" alt="Broken">
<img src="/media/lost.jpg" alt="Lost"> <img src="/media/moved.jpg" alt="Moved">
<img src="/media/round.jpg" alt="Moved in a circle">
<img src="/media/gallows-creek-again.jpg" alt="Gallows Creek, once more" width="200"></p>"""
    return page("Gallery", body)


def _statistics() -> str:
    charts = "".join(
        f'<figure><img src="/charts/{name}.png" alt="Chart: {name}" width="640" height="420"></figure>\n'
        for name in ("acquisitions", "stock", "lengths", "genres")
    )
    body = f"""\
<h1>The archive in figures</h1>
{charts}<figure><img src="/screens/dashboard.png" alt="Our dashboard">
<figcaption>Seen every morning</figcaption></figure>"""
    return page("Figures", body)


def _journal() -> dict[str, str]:
    series = BY_SLUG["kingdom-of-embers"]
    show = markup.json_ld(
        {"@type": "TVSeries", "name": series.title, "startDate": str(series.year), "image": markup.path(series)}
    )
    screens = "".join(
        f'<figure><img src="/screens/{name}.png" alt="Screenshot: {name}"></figure>\n'
        for name in ("inventory", "editor", "terminal", "mail", "loan-form")
    )
    returns = f"""\
<p>“{series.title}” returns as a series.</p>
<p class="ad"><img src="/ads/restoration.jpg" alt="Help us restore" width="970" height="250"></p>"""
    nonsense = """\
<p><img src="/blog/rewind.jpg" alt=""> <img src="/blog/nitrate.jpg" alt=""></p>
<p><a href="/blog/never-written.html">Read on</a></p>"""
    posts = (
        ("a-new-catalogue", "A new catalogue", screens, ""),
        ("from-film-to-series", "From film to series", returns, show),
        ("friday-nonsense", "Friday nonsense", nonsense, ""),
    )
    items = "".join(f'<li><a href="/blog/{slug}.html">{title}</a></li>\n' for slug, title, _, _ in posts)
    icons = "".join(f'<img src="/icons/{name}.png" alt="{name}"> ' for name in ("home", "search", "play", "pause"))
    body = f"""\
<h1>Journal</h1>
<ul>
{items}</ul>
<p>{icons}</p>
<p class="ad">
<img data-src="/ads/season.jpg" src="/icons/pixel.gif" alt="Autumn season" width="728" height="90"></p>"""
    files = {f"blog/{slug}.html": page(title, f"<h1>{title}</h1>\n{text}", head) for slug, title, text, head in posts}
    return files | {"blog/index.html": page("Journal", body)}


def _shop() -> str:
    items = ""
    for kind, names in GOODS.items():
        for name in names:
            title = name.replace("-", " ").title()
            items += f'<li><img src="{kind}/{name}.jpg" alt="{title}"><br>{title}</li>\n'
    body = f'<h1>Shop <img src="/icons/cart.png" alt="Cart"></h1>\n<ul class="grid">\n{items}</ul>'
    return page("Shop", body)


def _private() -> str:
    film = BY_SLUG["the-long-noon"]
    return page(
        "Vault",
        f'<h1>Vault</h1>\n<p>Robots do not come here.</p><img src="/private/{film.slug}.jpg" alt="{markup.alt(film)}">',
    )
