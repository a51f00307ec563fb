"""Every picture of the site: its path, and what draws it. Encoded here, odd files included."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from functools import cache, partial

from PIL import Image

from posterbot.sample import (
    covers,
    marks,
    photos,
    posters_far,
    posters_night,
    posters_people,
    posters_print,
    posters_stage,
    posters_wild,
    prints,
    screens,
)
from posterbot.sample.films import BY_SLUG
from posterbot.sample.paint import grain

QUALITY = 78
_ROOMS = (posters_far, posters_night, posters_people, posters_print, posters_stage, posters_wild)

TINY_GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
"""A transparent 1×1 GIF, as placeholders and trackers use it."""

NOT_A_PICTURE = b"<!doctype html>\n<title>Sign in</title>\n<p>This picture is for members. Please sign in.</p>\n"


@cache
def _painted(slug: str) -> Image.Image:
    name = slug.replace("-", "_")
    draw = next(getattr(room, name) for room in _ROOMS if hasattr(room, name))
    picture = draw(BY_SLUG[slug])
    assert isinstance(picture, Image.Image)
    return picture


def poster(slug: str, width: int | None = None) -> Image.Image:
    """A film's poster at its published width, with the grain of film."""
    width = width or BY_SLUG[slug].width
    return grain(_painted(slug).resize((width, width * 3 // 2), Image.Resampling.LANCZOS), 2.5, width)


def jpeg(image: Image.Image, quality: int = QUALITY, **options: object) -> bytes:
    """``image`` as JPEG."""
    return _encode(image, "JPEG", quality=quality, optimize=True, **options)


def png(image: Image.Image) -> bytes:
    """``image`` as PNG; opaque ones with a palette, as the web's screenshots often are."""
    return _encode(
        image if image.mode == "RGBA" else image.quantize(128, dither=Image.Dither.NONE), "PNG", optimize=True
    )


def pictures() -> dict[str, Callable[[], bytes]]:
    """Path in the site → what makes the file's bytes."""
    return {
        **_folder("posters", "jpg", BY_SLUG, poster),
        **_folder(
            "posters/thumb", "jpg", ("the-salt-wind", "six-keys", "kingdom-of-embers"), partial(poster, width=180)
        ),
        **_folder("posters/small", "jpg", ("neon-harbour",), partial(poster, width=300)),
        **_folder("stills", "jpg", photos.SCENES, photos.scene),
        **_folder("people", "jpg", photos.SITTERS, photos.portrait),
        **_folder("shop/books", "jpg", covers.BOOKS, covers.book),
        **_folder("shop/records", "jpg", covers.ALBUMS, covers.album),
        **_folder("shop/goods", "jpg", prints.PRODUCTS, prints.product),
        **_folder("papers", "jpg", prints.DOCUMENTS, prints.document),
        **_folder("ads", "jpg", prints.BANNERS, prints.banner),
        **_folder("blog", "jpg", prints.MEMES, prints.meme),
        **_folder("logos", "png", marks.LOGOS, marks.logo),
        **_folder("icons", "png", marks.ICONS, marks.icon),
        **_folder("screens", "png", screens.SCREENSHOTS, lambda name: screens.SCREENSHOTS[name]()),
        **_folder("charts", "png", screens.CHARTS, lambda name: screens.CHARTS[name]()),
        **_odd_files(),
    }


def _folder(
    folder: str, suffix: str, names: Iterable[str], draw: Callable[[str], Image.Image]
) -> dict[str, Callable[[], bytes]]:
    encode = png if suffix == "png" else jpeg
    return {f"{folder}/{name}.{suffix}": partial(_encoded, encode, draw, name) for name in names}


def _encoded(encode: Callable[[Image.Image], bytes], draw: Callable[[str], Image.Image], name: str) -> bytes:
    return encode(draw(name))


def _odd_files() -> dict[str, Callable[[], bytes]]:
    """What a crawler trips over: names that lie, damaged and unusual files."""
    return {
        "icons/weave.png": lambda: png(photos.cloth_pattern()),
        "icons/spinner.gif": _animation,
        "icons/pixel.gif": lambda: TINY_GIF,
        "icons/the-lantern.svg": marks.logo_svg,
        "posters/perihelion.webp": lambda: _encode(poster("perihelion", 500), "WEBP", quality=76, method=6),
        "odd/members-only.jpg": lambda: NOT_A_PICTURE,
        "odd/cut-short.jpg": lambda: (data := jpeg(photos.scene("lake")))[: len(data) * 2 // 5],
        "odd/for-print.jpg": lambda: jpeg(photos.scene("dunes").resize((300, 200)).convert("CMYK")),
        "odd/really-a-png.jpg": lambda: png(photos.scene("old-wall").resize((300, 200))),
        "odd/turned.jpg": _turned,
        "odd/empty.jpg": lambda: b"",
    }


def _animation() -> bytes:
    first, *rest = (frame.quantize(16) for frame in prints.spinning_reel())
    return _encode(first, "GIF", save_all=True, append_images=rest, duration=90, loop=0)


def _turned() -> bytes:
    """A poster stored lying on its side, with the EXIF tag that says so (orientation 6: turn right to view)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(poster("the-quiet-witness", 380).transpose(Image.Transpose.ROTATE_90), exif=exif)


def _encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
