"""The recorder's promise under ``kill -9``, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import create_engine

import posterbot

# Records for ever; prints the name of each outcome, once its future is done.
CHILD = """
import sys
sys.path[:0] = sys.argv[3:]
from catalogue_records import failed, image, judged, page
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Film
from posterbot.catalogue.recorder import Recorder

recorder = Recorder(open_catalogue(sys.argv[1]), spider="posters", arguments={}, version="1")
number = 0
while True:
    waiting = []
    for number in range(number, number + 150):
        name = f"{sys.argv[2]}-{number}"
        seen = page(f"{sys.argv[2]}-{number // 4}", films=(Film("Movie", name),))
        if number % 5:
            outcome = judged(name, seen, image=image(name, path=f"{name}.jpg"))
        else:
            outcome = failed(name, seen)
        waiting.append((outcome.url, recorder.outcome(outcome)))
    number += 1
    for url, future in waiting:
        future.result()
        sys.stdout.write(url + "\\n")
    sys.stdout.flush()
"""

HALF_WRITTEN = {
    "a candidate with neither image nor reason": "SELECT 1 FROM candidates WHERE image_id IS NULL AND reason IS NULL",
    "an image without candidate": (
        "SELECT 1 FROM images WHERE NOT EXISTS (SELECT 1 FROM candidates WHERE image_id = images.id)"
    ),
    "an image without scores": (
        "SELECT 1 FROM images WHERE NOT EXISTS (SELECT 1 FROM scores WHERE image_id = images.id)"
    ),
    "an image without verdict": (
        "SELECT 1 FROM images WHERE NOT EXISTS (SELECT 1 FROM verdicts JOIN policies ON policies.id = policy_id "
        "WHERE image_id = images.id)"
    ),
    "a page without its film": (
        "SELECT 1 FROM pages WHERE NOT EXISTS (SELECT 1 FROM film_statements WHERE page_id = pages.id)"
    ),
}


def test_nothing_reported_is_lost_and_nothing_is_half_written(catalogue_url: str) -> None:
    here = [str(Path(posterbot.__file__).parents[1]), str(Path(__file__).parent)]
    reported: set[str] = set()
    for life, moment in enumerate((0.0, 0.07, 0.013, 0.11)):
        command = [sys.executable, "-c", CHILD, catalogue_url, str(life), *here]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            reported.add(child.stdout.readline().strip())  # it is recording now
            time.sleep(moment)
            child.send_signal(signal.SIGKILL)
            # The last line may have been cut short.
            reported.update(line.strip() for line in child.stdout if line.endswith(".jpg\n"))
        assert child.returncode == -signal.SIGKILL
        engine = create_engine(catalogue_url)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
            for what, sql in HALF_WRITTEN.items():
                assert connection.exec_driver_sql(sql).fetchall() == [], what
            written = set(connection.exec_driver_sql("SELECT url FROM candidates").scalars())
            lives = connection.exec_driver_sql("SELECT count(*), count(finished_at) FROM runs").one()
        engine.dispose()
        assert len(reported) > life * 10
        assert reported <= written
        assert tuple(lives) == (life + 1, 0)
