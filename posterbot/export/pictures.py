"""The picture of an image as it goes into a dataset: its original bytes, or a JPEG of the size asked for.

Either way it is decoded to its end, so that nothing goes into a dataset that a training would stumble over.

A resized picture is reduced from at least twice its size (libjpeg halves, quarters or eighths while decoding), by
Pillow's bicubic filter, which averages over all pixels that fall together, as OpenCV's and TensorFlow's do not:
Parmar, Zhang and Zhu, *On Aliased Resizing and Surprising Subtleties in GAN Evaluation*, CVPR 2022. It is RGB,
upright, and carries nothing but pixels: no EXIF, no position, no comment, no colour profile. Profiles are not applied,
nor are they by the classifier or by those who read datasets; transparency lies on white; of an animation it is the
first frame.
"""

from __future__ import annotations

import io

from PIL import Image

from models.decode import ImageError, ImageProblem, Picture
from posterbot.export.formats.format import Encoded
from posterbot.export.options import Options

QUALITY = 90
"""With colours at full resolution (4:4:4). At 256 pixels that is smaller than 95 with colours at half, the default of
img2dataset (18 kB to 20), and nearer to what was encoded: 38.4 dB to 37.1 on drawn posters, 36.9 to 34.2 on real ones,
whose small red letters are what is lost."""
LONGEST = 65_500
"""Pixels: the longest side of a JPEG that libjpeg writes."""
BORDER = (255, 255, 255)
"""White, as img2dataset's, and as what transparency is laid on."""
_BICUBIC = Image.Resampling.BICUBIC


def prepare(data: bytes, options: Options, *, jpeg: bool) -> Encoded:
    """An image as ``options`` have it. The same bytes and options give the same bytes, with the same Pillow.

    Args:
        data: the original.
        options: ``size`` and ``fit`` count. ``longer`` and ``shorter`` reduce until that side is ``size``, and never
            enlarge. The others always give a square of ``size``: ``crop`` has the shorter side fill it, and cuts off
            on both sides of the middle; ``stretch`` distorts; ``pad`` is ``longer``, in the middle of white. ``crop``
            and ``stretch`` enlarge what is smaller, so that all pictures go into one batch.
        jpeg: the format takes nothing else. An original that is none is encoded as JPEG of the same size.

    Returns:
        Width and height are those in the header of the bytes returned, before any EXIF rotation.

    Raises:
        ImageError: ``data`` is no image, not to the end, or has too many pixels to be decoded or to be a JPEG.
    """
    picture = Picture(data)
    header = picture.header
    if options.size is not None:
        return _encoded(_fitted(picture, options.size, options.fit))
    if jpeg and header.extension != "jpg":
        return _encoded(picture.rgb(max(header.width, header.height)))
    picture.rgb(1)  # to see that it is whole: a JPEG unfolds to an eighth, and costs half of what it would
    return Encoded(data, header.extension, header.width, header.height)


def _fitted(picture: Picture, size: int, fit: str) -> Image.Image:
    shorter, longer = sorted((picture.header.width, picture.header.height))
    if fit == "longer":
        return picture.rgb(size, resample=_BICUBIC)
    if fit == "pad":
        return _padded(picture.rgb(size, resample=_BICUBIC), size)
    # Rounded up: the shorter side is then ``size``, or a pixel more where the decoder has rounded as well.
    image = picture.rgb(longer if shorter <= size else -(-size * longer // shorter), resample=_BICUBIC)
    if fit == "stretch":
        return image.resize((size, size), _BICUBIC, reducing_gap=2.0)
    side = min(shorter, size)
    if fit == "crop":
        return _cut(image, side, side).resize((size, size), _BICUBIC)
    if fit == "shorter":
        return _cut(image, *((side, image.height) if image.width <= image.height else (image.width, side)))
    raise ValueError(f"no such fit: {fit!r}")


def _cut(image: Image.Image, width: int, height: int) -> Image.Image:
    """So much of the middle."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _padded(image: Image.Image, size: int) -> Image.Image:
    square = Image.new("RGB", (size, size), BORDER)
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
    return square


def _encoded(image: Image.Image) -> Encoded:
    if max(image.size) > LONGEST:
        size = f"{image.width}x{image.height}"
        raise ImageError(ImageProblem.TOO_MANY_PIXELS, f"{size}: a side of a JPEG has at most {LONGEST:,} pixels")
    out = io.BytesIO()
    image.info.clear()  # Pillow would write a comment that was in the original
    image.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return Encoded(out.getvalue(), "jpg", image.width, image.height)
