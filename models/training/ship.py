"""The whole way: learn, measure on sources never seen, learn those too, write the model folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from models.evaluate import Report, evaluate
from models.registry import load_model
from models.training.card import Facts, write_card
from models.training.dataset import read_samples, split_by_source
from models.training.export import calibrate, convert, poster_shape, write_model
from models.training.train import FULL, LAST, PHASES, fit, start

MEASURED = "measured"
"""Folder, below the model's, of the network that the card's figures were measured with."""


def train_web_images(data: Path, out: Path, imagenet: Path, seed: int) -> Report:
    """Train ``web-images`` and write its folder.

    The figures in its card are those of the network before the last phase, which has not seen the held-out sources.
    The shipped one has: their images are a fifth of all there are. Both are written; the measured one can be
    measured again by whoever has the images.

    Args:
        data: folder of ``<label>/<source>__<id>.<ext>``.
        out: the model folder; made if missing. Each finished phase is kept there as ``<phase>.weights.h5``, and
            the same call goes on from those.
        imagenet: quantised MobileNetV2 1.0 .tflite to start from.
        seed: of the weights, the draws and the augmentation.

    Raises:
        FileNotFoundError: ``data`` has no images.
        ValueError: ``imagenet`` is another network, or no source can be held out.
    """
    samples = read_samples(data)
    training, held_out = split_by_source(samples)
    if not held_out:
        raise ValueError(f"{data}: every label has one source only, so there is none to measure on")
    if not all(any(sample.label == "poster" for sample in part) for part in (training, held_out)):
        raise ValueError(f"{data}: expected posters of two sources or more, in {data / 'poster'}")
    out.mkdir(parents=True, exist_ok=True)
    network, labels = start(training, imagenet, seed)
    print(f"{len(training)} images train, {len(held_out)} are held out, {len(labels)} labels", flush=True)  # noqa: T201
    fit(network, labels, training, PHASES, out, seed)
    calibration = calibrate(network, labels, poster_shape(training), held_out)
    content = convert(network, labels, calibration, training, seed)
    write_model(out / MEASURED, content, labels, calibration.usage)
    report = evaluate(load_model(str(out / MEASURED)), held_out)

    fit(network, labels, samples, [LAST], out, seed)
    content = convert(network, labels, calibration, samples, seed)
    write_model(out, content, labels, calibration.usage)
    facts = Facts(
        side=FULL,
        size=len(content),
        temperature=calibration.usage.temperature,
        offset=calibration.offset,
        started_from="ImageNet weights (MobileNetV2 1.0, published as quantised TFLite under Apache-2.0)",
        training=(
            "Every layer trained on by `python -m models train web-images`, in epochs: "
            + ", ".join(f"{p.epochs} *{p.name}* at {p.side} px" for p in (*PHASES, LAST))
            + ".",
            "Comic and magazine covers are drawn, on pictures of other labels; there was no photograph of one.",
            "int8 but for the last layer; the outline counts apart (`[shape]` in `model.toml`).",
            f"**All figures here are those of the network before the phase *{LAST.name}*** (the folder `{MEASURED}`),"
            " with the same calibration. The shipped one has learned the held-out sources too, so measuring it on them"
            " says nothing.",
        ),
    )
    write_card(out, replace(report, model=out.name), training, held_out, facts)
    return report
