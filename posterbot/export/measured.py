"""How well a policy's model finds what the policy wants, where that was measured: for the dataset card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from posterbot.export.lockfile import Rule


@dataclass(frozen=True, slots=True)
class Measured:
    """On held-out images that nobody trained on."""

    threshold: float
    """The one measured that is nearest, and not above that of the policy: they are 0.005 apart."""
    precision: float
    recall: float
    images: int
    prevalence: float
    """Share of the label among them: where it is rarer, precision is lower."""


def measured(rule: Rule) -> Measured | None:
    """Precision and recall of a policy, from the ``curve.json`` of a shipped model.

    None where that says nothing of it: another model, several labels together, a label that was not measured, or a rule
    that is not by threshold alone.
    """
    curve = _curves().get(rule.model_hash)
    if curve is None or len(rule.labels) != 1 or rule.top is not None or rule.labels[0] not in curve["labels"]:
        return None
    thresholds, of = curve["thresholds"], curve["labels"][rule.labels[0]]
    # A threshold comes back from a database as the nearest 32-bit number.
    below = [place for place, threshold in enumerate(thresholds) if threshold <= rule.threshold + 1e-6]
    if not below:
        return None
    at = below[-1]
    return Measured(thresholds[at], of["precision"][at], of["recall"][at], of["images"], of["prevalence"])


@cache
def _curves() -> dict[str, dict[str, Any]]:
    """Hash of a shipped model → its curve. No network is loaded for it."""
    from models.declaration import read_declaration, read_toml
    from models.registry import WEIGHTS

    found = {}
    for curve in sorted(WEIGHTS.glob("*/curve.json")):
        declared = read_declaration(curve.with_name("model.toml"), read_toml(curve.with_name("model.toml")))
        weights = hashlib.sha256(curve.with_name(declared.file).read_bytes()).hexdigest()
        found[declared.usage.identity(weights)] = json.loads(curve.read_text())
    return found
