"""Is it of any use for training? Its shape is asked of the header, blur and flatness of the decoded pixels.

Limits and losses were measured on 16,267 pictures of 23 kinds, 4,709 of them posters, decoded to 144 and to 160 pixels.
The detail of a poster is 0.06 and more even where it is mist and gradients; blurred with a σ of 1.4 % of its width, 99
of 100 have less.
"""

from __future__ import annotations

from models.decode import Header
from models.quality import Quality
from posterbot.reasons import Reason

MAX_ASPECT = 3.2
"""Longer ÷ shorter side. No poster of the measured ones has more than 1.9; door panels, the narrowest that cinemas
print, have 3. Beyond it are 17 % of the logos, 2.5 % of the charts, 0.5 % of the documents and next to nothing else."""
MIN_DETAIL, MIN_SHARPNESS = 0.06, 300.0
"""Blurred is what has less of both: detail alone would take 4 % of the portraits, whose backgrounds are soft. Loses no
poster of the measured ones; 9 % of the icons, 3 % of art and portraits, 2 % of stills and charts, 1 % of photos go."""
MIN_SPREAD, MIN_ENTROPY = 12.0, 1.0
"""Flat is what has less of either: one colour, or a word on it. Loses 1 poster of 4,709;
11 % of the charts, 5 % of the documents, 4 % of the screenshots, less than 2 % of the rest go."""


def aspect_fits(header: Header, most: float = MAX_ASPECT) -> tuple[bool, Reason]:
    """(True, RELEVANT) or (False, EXTREME_ASPECT): banners, skyscrapers, rulers."""
    shorter, longer = sorted((header.width, header.height))
    return (True, Reason.RELEVANT) if longer <= most * shorter else (False, Reason.EXTREME_ASPECT)


def good_enough(quality: Quality) -> tuple[bool, Reason]:
    """(True, RELEVANT), (False, FLAT) or (False, BLURRED); flat speaks first, as nothing can be sharp in it."""
    if quality.spread < MIN_SPREAD or quality.entropy < MIN_ENTROPY:
        return False, Reason.FLAT
    if quality.detail < MIN_DETAIL and quality.sharpness < MIN_SHARPNESS:
        return False, Reason.BLURRED
    return True, Reason.RELEVANT
