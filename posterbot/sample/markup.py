"""The many ways in which pages show a picture; each function writes one of them for a film's poster.

They return (what goes into the head, what goes into the body). The crawler must understand every one, so each film
page of the sample uses another.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from posterbot.sample.films import Film

Markup = tuple[str, str]
HOST = "sample.invalid"
"""Replaced by the server's own host and port."""

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def path(film: Film) -> str:
    """The poster's path from the site's root."""
    return f"/posters/{film.slug}.jpg"


def alt(film: Film) -> str:
    """The poster's alternative text."""
    return f"Poster of {film.title} ({film.year})"


def plain(film: Film) -> Markup:
    """``<img src>`` with its size."""
    return "", f'<img class="poster" src="../posters/{film.slug}.jpg" alt="{alt(film)}" width="400" height="600">'


def srcset(film: Film) -> Markup:
    """Several widths of the same picture."""
    small = f"/posters/small/{film.slug}.jpg"
    return "", (
        f'<img class="poster" src="{small}" srcset="{small} 300w, {path(film)} {film.width}w" sizes="400px" '
        f'alt="{alt(film)}">'
    )


def picture(film: Film) -> Markup:
    """``<picture>`` with a WebP source."""
    return "", (
        f'<picture><source type="image/webp" srcset="/posters/{film.slug}.webp">'
        f'<img class="poster" src="{path(film)}" alt="{alt(film)}"></picture>'
    )


def lazy(attribute: str, placeholder: str = PIXEL) -> Callable[[Film], Markup]:
    """A script would copy ``attribute`` to ``src``, which holds a placeholder until then."""

    def write(film: Film) -> Markup:
        value = f"{path(film)} 1x" if attribute.endswith("srcset") else path(film)
        return "", f'<img class="poster lazy" src="{placeholder}" {attribute}="{value}" alt="{alt(film)}">'

    return write


def noscript(film: Film) -> Markup:
    """A placeholder, and the picture for those without scripts."""
    return "", (
        f'<img class="poster" src="{PIXEL}" alt="">'
        f'<noscript><img class="poster" src="{path(film)}" alt="{alt(film)}"></noscript>'
    )


def style_attribute(film: Film) -> Markup:
    """A CSS background in a style attribute."""
    return "", (
        f'<div class="poster tall" role="img" aria-label="{alt(film)}" '
        f"style=\"background-image: url('{path(film)}')\"></div>"
    )


def style_element(film: Film) -> Markup:
    """A CSS background in a style element."""
    rule = f'<style>.hero {{ background-image: url("{path(film)}"); }}</style>'
    return rule, f'<div class="poster tall hero" role="img" aria-label="{alt(film)}"></div>'


def thumbnail(film: Film) -> Markup:
    """A small picture that links to the large one."""
    return "", f'<a href="{path(film)}"><img src="/posters/thumb/{film.slug}.jpg" alt="{alt(film)}"></a>'


def video(film: Film) -> Markup:
    """The still frame of a video that has not started."""
    return "", f'<video class="poster" controls preload="none" poster="{path(film)}" width="400" height="600"></video>'


def social(film: Film) -> Markup:
    """Open Graph and Twitter cards only; nothing in the body."""
    url = f"http://{HOST}{path(film)}"
    return (
        f'<meta property="og:type" content="video.movie"><meta property="og:title" content="{film.title}">'
        f'<meta property="og:image" content="{url}"><meta property="og:image:width" content="{film.width}">'
        f'<meta name="twitter:card" content="summary_large_image"><meta name="twitter:image" content="{url}">'
    ), "<p><em>Share this page to see its poster.</em></p>"


def image_src(film: Film) -> Markup:
    """``<link rel=image_src>``, as old aggregators read it."""
    return f'<link rel="image_src" href="{path(film)}">', "<p><em>The poster is being restored.</em></p>"


def preload(film: Film) -> Markup:
    """A picture announced in the head and shown by a script."""
    return f'<link rel="preload" as="image" href="{path(film)}">', '<div class="poster" data-mount="poster"></div>'


def linked_data(film: Film) -> Markup:
    """Only the JSON-LD of the page names the poster."""
    return movie(film, image=True), "<p><em>Our copy is on loan; the catalogue entry remains.</em></p>"


def image_object(film: Film) -> Markup:
    """JSON-LD with an ImageObject."""
    return json_ld(
        {"@type": "ImageObject", "contentUrl": path(film), "caption": alt(film)}
    ), "<p><em>Scan on request.</em></p>"


def microdata(film: Film) -> Markup:
    """schema.org in the elements themselves."""
    return "", (
        '<div itemscope itemtype="https://schema.org/Movie">'
        f'<meta itemprop="name" content="{film.title}"><meta itemprop="datePublished" content="{film.year}">'
        f'<span itemprop="director" itemscope itemtype="https://schema.org/Person">'
        f'<meta itemprop="name" content="{film.director}"></span>'
        f'<link itemprop="image" href="{path(film)}"></div>'
    )


def base(film: Film) -> Markup:
    """An image relative to a base that is not the page."""
    return '<base href="/posters/">', f'<img class="poster" src="{film.slug}.jpg" alt="{alt(film)}">'


def protocol_relative(film: Film) -> Markup:
    """A URL that begins with two slashes."""
    return "", f'<img class="poster" src="//{HOST}{path(film)}" alt="{alt(film)}">'


def movie(film: Film, kind: str = "Movie", image: bool = False) -> str:
    """The film as JSON-LD; with ``image``, its poster too."""
    data: dict[str, object] = {
        "@type": kind,
        "name": film.title,
        "datePublished": str(film.year),
        "genre": film.genre,
        "director": {"@type": "Person", "name": film.director},
        "actor": [{"@type": "Person", "name": name} for name in film.cast],
        "duration": f"PT{film.minutes}M",
    }
    if image:
        data["image"] = f"http://{HOST}{path(film)}"
    return json_ld(data)


def json_ld(data: dict[str, object]) -> str:
    """A script element of linked data."""
    return f'<script type="application/ld+json">{json.dumps({"@context": "https://schema.org", **data})}</script>'


MARKUPS: dict[str, Callable[[Film], Markup]] = {
    "neon-harbour": srcset,
    "the-long-noon": plain,
    "the-salt-wind": thumbnail,
    "perihelion": picture,
    "the-quiet-witness": lazy("data-src"),
    "above-the-last-camp": lazy("data-original", "/icons/pixel.gif"),
    "the-hollow-wood": lazy("data-srcset"),
    "three-circles": lazy("data-lazy"),
    "letters-to-marguerite": noscript,
    "house-of-ash": plain,
    "six-keys": thumbnail,
    "the-fox-and-the-lighthouse": style_attribute,
    "le-dernier-carrousel": style_element,
    "the-glass-river": video,
    "gallows-creek": plain,
    "station-nine": linked_data,
    "the-zurich-file": protocol_relative,
    "footlights": social,
    "the-last-bell": preload,
    "mother-of-pearl": image_src,
    "iron-winter": microdata,
    "the-understudy": base,
    "summer-on-pier-nine": image_object,
}
"""How each film's own page shows its poster. The films left out are on other pages only."""
