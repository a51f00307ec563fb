"""The part of a dataset's card that answers for it: where images are from, on what terms, and how they were chosen."""

from __future__ import annotations

from collections.abc import Iterator

from posterbot.export.card_numbers import Numbers
from posterbot.export.lockfile import Header, Rule, Source
from posterbot.export.markup import and_more, link, markdown, number_of, ordered, table, top
from posterbot.export.measured import measured

TOP_SOURCES = 50
TOP_LICENCES = 30
_LEAKING = {"films": "films", "copies": "clusters of copies", "variants": "clusters of variants"}
_UNKNOWN = "not known"


def where_from(header: Header, numbers: Numbers) -> Iterator[str]:
    """Sources and what their terms say, agreements, and the licences of single images."""
    yield "## Where it is from, and on what terms"
    yield ""
    options = header.options
    agreed = set(options.agreements)
    purpose = {
        None: "The terms of sources are written down here, and were not applied: see to it that your use is allowed.",
        "training": "Images of sources that do not allow machine learning were left out.",
        "redistribution": "Images of sources that do not allow to pass them on were left out.",
    }
    yield purpose.get(options.purpose, f"Purpose: {markdown(str(options.purpose))}.")
    yield ""
    for name in sorted(agreed):
        yield f"- Who made this states an agreement with {markdown(name)}, whatever its terms say."
    if agreed:
        yield ""
    yield from table(
        ["source", "images", "machine learning", "passing on", "terms", "attribution"],
        [_source(source, agreed) for source in header.sources[:TOP_SOURCES]],
        [1],
    )
    yield from and_more([source.images for source in header.sources[TOP_SOURCES:]], "source")
    yield "Licences, as lists state them of single images:"
    yield ""
    shown, rest = top(numbers.licence, TOP_LICENCES)
    yield from table(
        ["licence", "images"],
        [("none stated" if name is None else markdown(name), number) for name, number in shown],
        [1],
    )
    yield from and_more(rest, "licence")


def _source(source: Source, agreed: set[str]) -> tuple[str, int, str, str, str, str]:
    learning = _allowed(source.ml_allowed) + (" (agreement)" if source.name in agreed else "")
    terms = link(source.terms_url, "terms") if source.terms_url else ""
    if terms == "terms":
        terms = markdown(source.terms_url or "")
    return (
        markdown(source.name),
        source.images,
        learning,
        _allowed(source.redistributable),
        terms,
        markdown(source.attribution or ""),
    )


def _allowed(said: bool | None) -> str:
    return _UNKNOWN if said is None else "allowed" if said else "**not allowed**"


def filtered(header: Header, numbers: Numbers) -> Iterator[str]:
    """The policies, and how well their models do."""
    yield "## How it was filtered"
    yield ""
    yield "An image is in it if a model gave the labels of a policy at least its threshold:"
    yield ""
    yield from table(
        ["policy", "labels", "threshold", "model", "precision", "recall", "images"],
        [(rule.number, *_rule(rule), *_figures(rule), numbers.policy[rule.number]) for rule in header.rules],
        [0, 2, 4, 5, 6],
    )
    known = [found for rule in header.rules if (found := measured(rule))]
    if known:
        yield (
            f"Precision and recall are those of the model at that threshold, measured on {known[0].images:,} images of "
            f"sources that it had not been trained on, {known[0].prevalence:.1%} of them with the label. Where the "
            "label is rarer, precision is lower and recall the same. The model's card says more."
        )
    if len(known) < len(header.rules):
        yield from [""] * bool(known)
        yield "“Not measured”: how often that policy errs is not known."
    yield ""
    if header.options.where:
        yield f"Of what was kept, only: {markdown(header.options.where)}"
        yield ""


def _rule(rule: Rule) -> tuple[str, str, str]:
    top = f", in the top {rule.top}" if rule.top is not None else ""
    labels = ", ".join(markdown(label) for label in rule.labels)
    return labels, f"{rule.threshold:.4g}{top}", f"{markdown(rule.model)} `{rule.model_hash[:12]}`"


def _figures(rule: Rule) -> tuple[str, str]:
    found = measured(rule)
    return ("not measured",) * 2 if found is None else (f"{found.precision:.3f}", f"{found.recall:.3f}")


def left_out(header: Header, missing: int) -> Iterator[str]:
    """Kept images that are not in it, and why."""
    yield "## What was left out"
    yield ""
    rows = [(markdown(why), number) for why, number in ordered(header.left_out)]
    if missing and not any(why.startswith("missing: ") for why in header.left_out):
        rows.append(("their bytes could not be had when this was written", missing))
    if rows:
        yield from table(["kept images that are not in it, because", "images"], rows, [1])
    else:
        yield "Nothing: all images that were kept are in it."
        yield ""


def splits_and_copies(header: Header, numbers: Numbers) -> Iterator[str]:
    """What is kept apart, and what is double."""
    yield "## Splits and duplicates"
    yield ""
    shares = " / ".join(f"{share:g}" for share in header.options.split)
    by = " and of one source" if header.options.by == "source" else ""
    yield (
        f"Asked for: {shares} of train, validation and test, seed {header.options.seed}. Images of one film, of one "
        f"cluster of near copies{by} are in one split, so shares are met as nearly as that allows."
    )
    yield ""
    crossing = ", ".join(f"{number:,} {_LEAKING[name]}" for name, number in sorted(numbers.leaks.items()))
    yield f"Counted over all rows, in more than one split: {crossing}."
    yield ""
    if not any(numbers.clusters.values()):
        yield "No image is known to be a copy or a variant of another one here."
    else:
        yield (
            f"Duplicates are kept and named: {_clustered(numbers, 'copies')} are the same picture in another size or "
            "compression as another one here (column `copies`), and the same design, with other lettering or another "
            f"crop as well, are {_clustered(numbers, 'variants')} (`variants`)."
        )
    yield ""


def _clustered(numbers: Numbers, name: str) -> str:
    clusters = number_of(numbers.clusters.get(name, 0), "cluster")
    return f"{number_of(numbers.clustered.get(name, 0), 'image')} in {clusters}"
