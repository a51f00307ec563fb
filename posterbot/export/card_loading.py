"""How a dataset of each format is loaded: for its card, and for those that read it."""

from __future__ import annotations

from collections.abc import Sequence

from posterbot.export.options import Options

_PATTERNS = {
    "imagefolder": "{split}/**",
    "webdataset": "{split}/posters-{split}-*.tar",
    "parquet": "data/{split}-*.parquet",
    "csv": "{split}.csv",
}
"""Files of a split, where Hugging Face's ``datasets`` knows the format."""

_DATASETS = """
from datasets import load_dataset

posters = load_dataset("path/to/this/folder", split="{split}")
print(posters[0])
"""
_CODE = {
    "imagefolder": _DATASETS
    + """
import pandas as pd

told = pd.read_csv("{split}/metadata.csv")  # titles, years, genres and more, a line for each image
""",
    "parquet": _DATASETS,
    "webdataset": """
import webdataset as wds

tars = "{split}/posters-{split}-{{000000..{last:06d}}}.tar"
posters = wds.WebDataset(tars, shardshuffle=False).decode("pil")
for sample in posters:
    print(sample["__key__"], sample["cls"], sample["json"]["title"])
""",
    "tfrecord": """
import tensorflow as tf

features = {{
    "image": tf.io.FixedLenFeature([], tf.string),
    "label": tf.io.FixedLenFeature([], tf.int64),
    "filename": tf.io.FixedLenFeature([], tf.string),
}}
files = sorted(tf.io.gfile.glob("posters_{split}-*.tfrecords"))
records = tf.data.TFRecordDataset(files).map(lambda record: tf.io.parse_single_example(record, features))
posters = records.map(lambda row: (tf.io.decode_jpeg(row["image"], channels=3), row["label"]))
""",
    "csv": """
import pandas as pd

posters = pd.read_csv("{split}.csv")  # img, and a column of 0 and 1 for each genre
print(posters.head())
""",
    "json": """
import json

with open("annotations/{split}.json", encoding="utf-8") as file:
    posters = json.load(file)  # as pycocotools reads it
print(posters["images"][0])
""",
}


def data_files(options: Options, splits: Sequence[str]) -> list[dict[str, str]]:
    """For the card's front matter: where ``datasets`` finds each split; none where it does not know the format."""
    pattern = _PATTERNS.get(options.format)
    if pattern is None:
        return []
    return [{"split": split, "path": pattern.format(split=split)} for split in splits]


def loading_code(options: Options, split: str, shards: int) -> str:
    """Lines of Python that read one split, which has so many shards; run in the dataset's folder."""
    return _CODE.get(options.format, "").format(split=split, last=max(shards - 1, 0)).strip()
