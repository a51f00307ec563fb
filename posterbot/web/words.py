"""What becomes of policies, as sentences of the start page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from posterbot.catalogue.records import Policy
from posterbot.rejudge.trial import Tried

if TYPE_CHECKING:
    from posterbot.rejudge.rejudge import Rejudged


def in_words(tried: Tried, old: Policy) -> str:
    """What a policy would keep, and what ``old`` does."""
    if not tried.scored:
        return f"No image has scores of {old.model.name} yet."
    about = "about " if tried.sampled else ""
    scored = f"Of {about}{tried.scored:,} image{'' if tried.scored == 1 else 's'} scored so far"
    if tried.would == tried.does:
        kept = f"{about}{tried.would:,} would be kept, as many as now."
    else:
        kept = f"{about}{tried.would:,} instead of {tried.does:,} would be kept."
    return f"{scored} {kept}" + (f" Estimated from {tried.sampled:,}." if tried.sampled else "")


def past_in_words(done: Rejudged) -> str:
    """What judging the past has changed."""
    words = (
        f"Judged {done.judged:,} images again: {done.newly_kept:,} are newly kept, {done.newly_dropped:,} newly dropped"
    )
    return f"{words}, {done.to_fetch:,} of them not stored." if done.to_fetch else f"{words}."


def sentence(error: Exception) -> str:
    """The line of an error, with a capital and a full stop."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
