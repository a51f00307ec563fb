"""What became of one URL, whatever page it was found on; with a candidate it makes a row and a Scrapy result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from posterbot.catalogue.records import Claim, Image, Outcome, Page, Policy
from posterbot.filters.relevance import Verdict
from posterbot.page import Candidate
from posterbot.reasons import Reason


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The part of an :class:`Outcome` that does not depend on the page.

    Either ``reason`` is set, or ``image``, ``policy`` and ``verdict`` are.
    """

    final_url: str = ""
    http_status: int | None = None
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    reason: Reason | None = None
    image: Image | None = None
    scores: np.ndarray | None = None
    embedding: np.ndarray | None = None
    policy: Policy | None = None
    verdict: Verdict | None = None
    evidence: str | None = None
    gate: Reason | None = None
    """Looked at only to measure what is lost: the reason for which its transfer would have been stopped."""
    known: bool = False
    """Judged by what the catalogue had, and not looked at again."""

    @property
    def keep(self) -> bool:
        """Was it kept?"""
        return self.verdict is not None and self.verdict.keep

    @property
    def why(self) -> Reason:
        """The one reason for that."""
        if self.reason is not None:
            return self.reason
        return self.verdict.reason if self.verdict else Reason.FETCH_FAILED

    def outcome(self, candidate: Candidate, page: Page, claim: Claim | None, gate: Reason | None) -> Outcome:
        """The row for ``candidate`` of ``page``, of which a list may say something; ``gate`` would have dropped it."""
        verdict = self.verdict
        return Outcome(
            page=page,
            url=candidate.url,
            found_by=candidate.found_by,
            alt=candidate.alt,
            title=candidate.title,
            caption=candidate.caption,
            declared_width=candidate.declared_width,
            declared_height=candidate.declared_height,
            alternatives=candidate.alternatives,
            final_url=self.final_url,
            http_status=self.http_status,
            content_type=self.content_type,
            etag=self.etag,
            last_modified=self.last_modified,
            reason=self.reason,
            image=self.image,
            scores=self.scores,
            embedding=self.embedding,
            policy=self.policy,
            keep=self.keep,
            verdict_reason=verdict.reason if verdict else None,
            label=verdict.label if verdict else None,
            score=verdict.score if verdict else None,
            claim=claim,
            gate=gate,
            evidence=self.evidence,
        )

    def result(self, candidate: Candidate) -> dict[str, Any]:
        """What Scrapy's own pipeline puts into an item, and the verdict."""
        return {
            "url": candidate.url,
            "path": self.image.path if self.image else None,
            "checksum": self.image.sha256 if self.image else None,
            "status": "downloaded" if self.image else "failed",
            "keep": self.keep,
            "reason": str(self.why),
            "label": self.verdict.label if self.verdict else None,
            "score": self.verdict.score if self.verdict else None,
        }
