"""What kinds of web site write about their pictures, as patterns.

The habits are those that film data bases, shops, cinemas, blogs and small web applications have in common. What
stands here decides what the model can know beyond Wikipedia. :mod:`models.text.generate` fills the patterns in.
"""
# ruff: noqa: E501  (a table)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """What one kind of site writes: alternatives for each field, separated by ``|``.

    ``{T}`` title, ``{Y}`` year, ``{A}`` actor, ``{X}`` a phrase, ``{K}`` the word for the kind in the language of the
    page, ``{E}`` the same in English; with ``-s``, ``-u``, ``-c`` as a slug, with underscores, in CamelCase.
    ``{hex}``, ``{b64}``, ``{id}``, ``{n}``: random.
    """

    name: str
    kind: str
    alts: str
    urls: str
    titles: str = ""
    captions: str = ""
    own_language: bool = True
    """Whether the site writes in the language of its readers, or English everywhere."""


HEADINGS = (
    " | | | | | {T} | {X} | {T} ({Y}) | Top 250 | Related | You may also like | News | Reviews | Movies | Films | Gallery"
    " | Latest posts | Products | Search results | Cast | Cast & crew | About | Contact | Comments | Popular this week"
    " | Now showing | Coming soon | {K} | {K} | Media | Photos | Videos | Shop | Trending | Details | Overview"
)
"""Captions are mostly the nearest heading, which is about the page and not about the picture."""

_FILES = (
    "/images/{@}.jpg | /img/{@}.png | /uploads/{n}/{@}.jpg | /wp-content/uploads/20{n}/{n}/{@}.jpg"
    " | /wp-content/uploads/20{n}/{n}/{@}-{size}.jpg | /static/media/{@}.{hex8}.jpg | /assets/{@}.webp | /media/{@}_{id}.jpg"
    " | /sites/default/files/styles/medium/public/20{n}-{n}/{@}.jpg | /{@}.jpg | /files/{@}.jpeg | /photos/{id}/{@}.webp"
    " | /-abc/s1600/{@}.jpg | /cdn/shop/files/{@}_{size}.jpg?v={id} | /_next/image?url=%2Fimages%2F{@}.jpg&w=640&q=75"
    " | /image.php?file={@}.jpg&w=300 | /resize/400x600/{@}.jpg | /content/dam/{n}/{@}.coreimg.{size}.jpeg | /{id}/{@}.avif"
)
"""Places for a file called {@}, alike for posters and for everything else."""


def _files(*names: str) -> str:
    return " | ".join(_FILES.replace("{@}", name) for name in names)


POSTERS = (
    Habit(
        "film data base with actors in the text",
        "poster",
        "{A} in {T} ({Y}) | {A} and {A} in {T} ({Y}) | {T} ({Y}) | {T} Poster",
        "/images/M/MV5B{b64}@._V1_UX182_CR0,0,182,268_AL_.jpg | /images/M/MV5B{b64}@._V1_.jpg",
        "{T} ({Y}) | ",
    ),
    Habit(
        "film data base with opaque files",
        "poster",
        "{T}",
        "/t/p/w500/{b64}.jpg | /t/p/w600_and_h900_bestv2/{b64}.jpg | /fpo/{n}/{n}/{id}/{id}.3.jpg",
        "{T} | ",
    ),
    Habit(
        "film diary",
        "poster",
        "{T} | Poster for {T} | Poster for {T} ({Y})",
        "/resized/film-poster/{n}/{n}/{id}-{T-s}-0-230-0-345-crop.jpg | /sm/upload/{hex8}/{T-s}-0-70-0-105-crop.jpg",
    ),
    Habit(
        "film data base with the title in the file",
        "poster",
        "{T} | {K} {T} | {K} de {T} | ",
        "/{T-u}-{id}-mmed.jpg | /{T-u}-{id}-large.jpg | /{T-s}-{Y}.jpg",
        "{T} | ",
    ),
    Habit(
        "listing with the word for poster",
        "poster",
        "{K} {T} | {K}: {T} | {K} – {T} | {T} {K} | {T} - {K} | {T} ({Y}) {K}",
        "/c_310_420/pictures/{n}/{n}/{n}/{n}/{id}.jpg | /{K-s}/{id}.jpg | /images/{T-s}-{K-s}.jpg | /{K-s}/{T-s}.jpg",
        "{K} {T} | | {T}",
    ),
    Habit(
        "poster archive",
        "poster",
        "{T} Movie Poster | {T} {E} | {T} ({Y}) {E} | Click to enlarge",
        "/{Y}/posters/{T-u}.jpg | /{Y}/posters/{T-u}_ver{n}_xlg.jpg | /p/297x/{hex8}/{T-s}-movie-poster-md.jpg"
        " | /posters/{T-s}-movie-poster-{id}.jpg | /intl/posters/{T-u}.jpg",
        own_language=False,
    ),
    Habit(
        "poster shop",
        "poster",
        "{T} {Y} original movie poster 27x40 one sheet | {T} vintage film poster print | Original {Y} {T} poster"
        " | {T} - {K} A3 | {T} {K} 60x90 cm | {A} signed {T} poster",
        "/cdn/shop/products/{T-s}-vintage-movie-poster_{size}.jpg?v={id} | /images/g/{b64}/s-l1600.jpg"
        " | /product/zoom/{id}/{T-s}-{K-s}-{n}x{n}-cm.jpg | /il_794xN.{id}_{hex8}.jpg",
        "{T} | ",
    ),
    Habit(
        "cinema",
        "poster",
        "{T} | {T} {K} | {K} {T} | {T} 3D | {T} (OmU)",
        "/sites/default/files/styles/poster_small/public/films/{T-s}.jpg | /posters/{T-s}/poster_500x750.webp"
        " | /movies/{T-s}/poster.jpg | /films/{id}/{K-s}.jpg | /programm/filme/{T-s}_{K-s}.jpg | /media/movies/{T-c}-1Sheet.jpg",
        "{T} | ",
    ),
    Habit(
        "streaming service",
        "poster",
        "{T} | {T} cover | Watch {T} | {T} artwork | {T} key art | {T} box art",
        "/poster/{id}/s332/{T-s}.webp | /vod/{id}/boxart/{hex}.jpg | /{hex}/cover.jpg | /portrait/{T-s}-2x3.jpg | /p/{b64}.png",
    ),
    Habit(
        "review in a blog",
        "poster",
        "{T} | {T} review | {T} ({Y}) | | {T} {K}",
        _files("{T-s}", "{T-s}-{K-s}", "{T-c}"),
    ),
    Habit("plain file named after the film", "poster", "{T} | | {T} | {X}", _files("{T-s}", "{T-u}", "{T}", "{T-c}")),
    Habit(
        "small web application",
        "poster",
        "poster | movie poster | {K} | movie | film | movie image | {T} | selected {K} | Card image cap | ...",
        _files("{T-s}", "{T-c}", "{b64}", "{T-u}_poster", "poster", "poster{n}", "movie-{n}"),
    ),
    Habit(
        "home video cover",
        "poster",
        "{T} DVD | {T} DVD cover | {T} (Blu-ray) | {T} [4K UHD] | {T} VHS | {T} VHS cover | {T}",
        "/covers/{T-u}_dvd.jpg | /images/{T-c}DVD.jpg | /product/{id}/{T-s}-blu-ray.jpg | /front/{T-s}-dvd-cover.jpg",
    ),
    Habit(
        "festival or television",
        "poster",
        "{T} | {K} {T} | {T} (dir. {A}) | {T} by {A} | {T} season {n} {K} | {T} - official {K}",
        "/films/{Y}/{T-s}_{K-s}_web.jpg | /tv/posters/{T-u}.jpg | /{Y}/selection/{T-s}.jpg | /shows/{T-s}-s{n}-poster.jpg",
    ),
    Habit(
        "careless alt text",
        "poster",
        "profile | image | photo | logo | picture of movie | thumbnail | banner | {A} | cover | product | {X} | user",
        "/posters/{T-s}.jpg | /images/{T-s}.jpg | /movies/{T-s}-poster.jpg | /t/p/w342/{b64}.jpg | /img/{T-c}.jpg",
    ),
    Habit(
        "encyclopedia",
        "poster",
        " | {T} | Theatrical release poster | {K} | {K} of {T} | Film poster | Promotional poster | Theatrical poster for {T}"
        " | Original release poster | DVD cover | A man and a woman under the title {T}",
        "/{n}/{hex8}/{T-u}_poster.jpg | /{n}/{hex8}/{T-u}.jpg | /images/{T-u}_({Y}_film).jpg | /{n}/{T-u}_{Y}.jpg"
        " | /images/{n}/{T-c}Poster.jpg/revision/latest?cb={id}",
        "",
        "Theatrical release poster | {K} | | {T} | Theatrical release poster by {A}",
    ),
)
"""Habits of pages that show a poster."""

OTHERS = (
    Habit(
        "logo",
        "logo",
        "{X} logo | {K} | {X} {K} | {X} | Logo | site logo | {K} {X} | Home",
        "/images/logo.png | /logo.svg | /img/{X-s}-logo.png | /wp-content/uploads/20{n}/{n}/logo-{X-s}.png | /logos/{X-s}.png"
        " | /static/logo-white.{hex8}.svg | /brand/{X-s}.svg | /sponsors/{X-s}.png | /themes/default/header-logo@2x.png",
    ),
    Habit(
        "buttons and icons",
        "icon",
        "{K} | {E} | Facebook | Twitter | Instagram | YouTube | WhatsApp | LinkedIn | RSS | email | phone | | {K} icon | loading",
        "/icons/{E-s}.svg | /img/icon-{E-s}.png | /icons/facebook.png | /images/icon_twitter.png | /assets/instagram.svg"
        " | /sprite.png | /images/spacer.gif | /img/arrow-right.png | /favicon-32x32.png | /ico_{E-s}.gif | /btn_{E-u}.gif"
        " | /images/stars-4.png | /emoji/1f600.png | /fancybox/close.png | /img/rss.png | /pixel.gif | /bullet.gif",
    ),
    Habit(
        "people who comment",
        "avatar",
        "{A} | {K} | Avatar of {A} | {A}'s avatar | Profile picture of {A} | user | @{A-u} | {K} {A}",
        "/avatar/{hex}?s=80 | /avatars/{id}/{hex}.png | /u/{id}?v=4 | /users/{A-s}/avatar.jpg | /images/default-avatar.png"
        " | /profile_images/{id}/{b64}_normal.jpg | /img/no-avatar.png | /wp-content/avatars/{A-s}.jpg | /userpic/{id}.jpg",
    ),
    Habit(
        "authors, actors and staff",
        "portrait",
        "{A} | {K} {A} | {A}, {K} | Portrait of {A} | {A} headshot | Photo of {A} | {K}: {A} | {A} at {X}",
        "/people/{A-s}.jpg | /team/{A-s}.jpg | /authors/{A-s}.png | /cast/{A-u}.jpg | /images/{A-u}.jpg | /staff/{A-c}.jpg"
        " | /t/p/w185/{b64}.jpg | /actors/{id}.jpg | /speakers/{A-s}-300x300.jpg | /{A}.jpg | /headshots/{A-s}.webp",
    ),
    Habit(
        "photographs",
        "photo",
        "{K} in {X} | {X} {K} | {K} | {X} | {K}: {X} | {A} in {X} | A {E} with {X} in the background | {E} near {X}",
        _files("{X-s}", "{E-s}-{n}", "{X-s}-{K-s}", "DSC_{id}", "{X-c}", "{K-s}")
        + " | /gallery/{E-s}{n}.jpg | /news/{X-s}.jpg",
    ),
    Habit(
        "maps and flags",
        "map",
        "{K} | {K} {X} | Map of {X} | {X} {K} | Google Maps",
        "/maps/{X-s}.png | /map_{X-u}.gif | /img/map.jpg | /staticmap.png | /tiles/{n}/{n}/{id}.png | /{X-u}_location_map.svg",
    ),
    Habit(
        "flags and arms",
        "flag",
        "{K} | {K} {X} | Flag of {X} | {X} | English | Deutsch | Français",
        "/flags/{n}x{n}/gb.svg | /flags/{X-s}.png | /img/flag-{X-s}.gif | /Flag_of_{X-u}.svg | /arms/{X-s}.png | /lang/en.png",
    ),
    Habit(
        "advertising",
        "banner",
        "{K} | {X} {K} | {E} | banner | Advertisement | {n}% off {X} | {K} - {X} | Follow us",
        "/ads/{X-s}-728x90.gif | /banner-{n}.jpg | /banners/{E-s}_300x250.png | /img/hero-banner.jpg | /promo/{E-s}.jpg"
        " | /badges/app-store.svg | /google-play-badge.png | /newsletter.png | /adserver/{id}.jpg | /images/header_bg.jpg"
        " | /visa-mastercard.png | /cookie.svg | /images/sale-banner.webp | /img/slider/slide{n}.jpg",
    ),
    Habit(
        "screenshots",
        "screenshot",
        "{K} | {X} {K} | {K} of {X} | Screenshot {n} | Screen Shot 20{n}-{n}-{n} at {n}.{n} | {E}",
        _files(
            "screenshot-{n}", "Screen-Shot-20{n}-{n}-{n}", "{X-s}-screenshot", "screencapture-{X-s}", "{X-s}-dashboard"
        )
        + " | /screenshots/{X-s}.png | /docs/_images/{X-u}.png | /images/screens/{n}.jpg",
    ),
    Habit(
        "charts and documents",
        "chart",
        "{K} | {K}: {X} | {X} {K} | Figure {n} | Fig. {n}: {X} | Table {n}. {X} | {K} of {X}",
        _files("chart-{X-s}", "{E-s}-{n}", "fig{n}", "{X-s}-graph", "infographic-{X-s}", "{X-s}-{K-s}")
        + " | /figures/{X-u}.png | /charts/{X-s}.svg | /plots/{X-u}.png | /equations/{hex8}.png",
    ),
    Habit(
        "shop",
        "product",
        "{X} {K} | {K} | {X} {E} black | {E} size {n} | {K} {X} {n} ml | {E} for {X}",
        "/products/{X-s}-{E-s}.jpg | /catalog/product/{n}/{n}/{X-s}.jpg | /images/I/{b64}._AC_SL1500_.jpg | /sku/{id}_{n}.jpg"
        " | /cdn/shop/products/{E-s}-{X-s}_{size}.jpg?v={id} | /p/{X-u}_{E-u}_{n}.jpg | /product/{E-s}-{id}-thumb.jpg",
    ),
    Habit(
        "albums",
        "album",
        "{X} album cover | {X} - {K} | {K} {X} | {A} - {X} ({K}) | {X} by {A} | {X} soundtrack | {X} LP",
        "/albums/{X-s}.jpg | /covers/{A-s}-{X-s}-album.jpg | /music/{hex8}/500x500.jpg | /vinyl/{X-s}.jpg | /{X-u}_album_cover.jpg",
    ),
    Habit(
        "books",
        "book",
        "{X} book cover | {X} - {K} | {K}: {X} | {X} by {A} | {X} ({K}) | Cover of {X} by {A}",
        "/books/{X-s}.jpg | /isbn/978{id}.jpg | /covers/{X-s}-paperback.jpg | /ebooks/{X-s}-cover.jpg | /{X-u}_novel.jpg",
    ),
    Habit(
        "videos",
        "trailer",
        "{K} | {T} {K} | {T} trailer | Watch {T} trailer | {X} - {K} | video thumbnail | Play",
        "/vi/{b64}/hqdefault.jpg | /vi/{b64}/maxresdefault.jpg | /video/{id}_640.jpg | /trailers/{T-s}.jpg | /videos/thumbs/{X-s}.jpg",
    ),
    Habit(
        "stills",
        "still",
        "{K} | {T} {K} | {K}: {T} | {A} in {T} | {T} | {A} and {A} at the premiere of {T} | Still from {T}",
        "/stills/{T-s}-{n}.jpg | /backdrops/{b64}.jpg | /t/p/w1280/{b64}.jpg | /gallery/{T-s}-still-{n}.jpg | /{T-u}_scene.jpg"
        " | /photos/{T-s}/{n}.jpg | /premiere/{A-s}-{T-s}.jpg",
    ),
)
"""Habits of pages that show anything else."""

FOLDERS = (
    "/images/ | /img/ | /uploads/{n}/ | /media/ | /static/ | /wp-content/uploads/20{n}/{n}/ | /assets/img/ | /files/{id}/"
    " | /{hex8}/ | /public/ | /storage/{n}/{n}/ | /i/ | /p/ | /content/ | /cdn/{hex8}/ | /cache/{n}x{n}/ | /data/ | /covers/ | /"
)
"""Places that say nothing of what lies there."""
