"""From what a person types to labels of a model: by name, by one of several names, or by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from posterbot.catalogue.records import Model

LISTED = 50
"""Models with more labels than this answer an unknown one with those most like it."""


class PolicyError(ValueError):
    """A label, threshold or top that cannot be used; one line that names what can. Nothing has changed."""


def read_labels(labels: str | Iterable[str], model: Model) -> tuple[str, ...]:
    """``"poster, card"`` as ``("poster", "card")``, each a label of ``model``.

    A label is named as the model has it; or, where that is several names with commas between them (``goldfish,
    Carassius auratus``), by one of these, capitals or not; or by its number, from 0, where labels are not numbers.

    Raises:
        PolicyError: none given, one unknown, or one that may be several.
    """
    names = _split(labels, model) if isinstance(labels, str) else [str(label).strip() for label in labels]
    if not any(names):
        raise PolicyError(f"no label given: {_known('', model)}")
    found = {name: _find(name, model) for name in names if name}
    unknown = [name for name, numbers in found.items() if not numbers]
    if unknown:
        raise PolicyError(f"unknown label {', '.join(map(repr, unknown))}: {_known(unknown[0], model)}")
    for name, numbers in found.items():
        if len(numbers) > 1:
            which = ", ".join(f"{number} ({model.labels[number]})" for number in numbers)
            raise PolicyError(f"label {name!r} may be {which}: give the number")
    return tuple(dict.fromkeys(model.labels[number] for (number,) in found.values()))


def _split(labels: str, model: Model) -> list[str]:
    """At commas, but for those within a label that is named in full."""
    parts = [part.strip() for part in labels.split(",")]
    names = []
    while parts:
        count = next((n for n in range(len(parts), 1, -1) if ", ".join(parts[:n]) in model.labels), 1)
        names.append(", ".join(parts[:count]))
        del parts[:count]
    return names


def _find(name: str, model: Model) -> list[int]:
    """Numbers of the labels that ``name`` may mean; a closer match hides those less close."""
    names = [[label, *(part.strip() for part in label.split(","))] for label in model.labels]
    if name.isdecimal() and not any(label.isdecimal() for label in model.labels):
        return [int(name)] if len(name) < 10 and int(name) < len(names) else []
    folded = name.casefold()
    closer: tuple[Callable[[list[str]], bool], ...] = (
        lambda known: known[0] == name,
        lambda known: name in known,
        lambda known: folded in [one.casefold() for one in known],
    )
    for matches in closer:
        if found := [number for number, known in enumerate(names) if matches(known)]:
            return found
    return []


def _known(name: str, model: Model) -> str:
    labels: Sequence[str] = model.labels
    if len(labels) <= LISTED:
        return f"{model.name} knows {', '.join(labels)}"
    parts = {part.strip().casefold(): label for label in labels for part in label.split(",")}
    near = list(dict.fromkeys(parts[part] for part in get_close_matches(name.casefold(), parts, 5)))
    return f"{model.name} knows {len(labels):,} labels, by name or number" + (
        f"; like it: {'; '.join(near)}" if near else ""
    )
