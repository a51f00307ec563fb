"""What is deployed is well-formed, by the linters of each kind, and fits the programs it starts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import validate

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs/deploy"
BIN = Path(sys.executable).parent
UNIT = DEPLOY / "systemd/posterbot@.service"
MANIFESTS = sorted(DEPLOY.glob("kubernetes/*.yaml"))


def lint(*words: Any) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert words[-1].name not in done.stderr, done.stderr  # systemd's warnings of a file end with code 0


def settings(path: Path) -> dict[str, str]:
    """The lines NAME=VALUE of a file."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def parsed(path: Path) -> list[Any]:
    """The documents in a file of YAML."""
    return list(yaml.safe_load_all(path.read_text()))


def resources() -> Iterator[dict[str, Any]]:
    """What the manifests define."""
    for path in MANIFESTS:
        yield from parsed(path)


def resource(kind: str) -> dict[str, Any]:
    """The only one of its kind."""
    (found,) = (one for one in resources() if one["kind"] == kind)
    return found


def unit() -> RawConfigParser:
    """The unit of systemd; keys that stand twice are not among what it uses."""
    found = RawConfigParser(strict=True)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read_string(UNIT.read_text())
    return found


# --- the linters ----------------------------------------------------------------------------------------------------


def test_the_dockerfile() -> None:
    lint(BIN / "hadolint", "--failure-threshold", "style", DEPLOY / "Dockerfile")


def test_the_compose_file() -> None:
    lint(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_the_citation() -> None:
    lint(BIN / "check-jsonschema", "--builtin-schema", "vendor.citation-file-format", ROOT / "CITATION.cff")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_the_manifests(path: Path) -> None:
    for one in parsed(path):
        validate(one, "1.34", strict=True)


def test_the_unit(tmp_path: Path) -> None:
    """systemd looks for the program, so one that is here stands in its place. Where there is no systemd: its keys."""
    if shutil.which("systemd-analyze"):
        copy = tmp_path / "posterbot@1.service"
        copy.write_text(UNIT.read_text().replace("/opt/posterbot/bin/posterbot", shutil.which("true") or ""))
        lint("systemd-analyze", "verify", "--man=no", copy)
    read = unit()
    assert read.sections() == ["Unit", "Service", "Install"]
    assert "StartLimitIntervalSec" in read["Unit"]
    assert {"User", "ExecStart", "EnvironmentFile", "WorkingDirectory", "Restart"} <= set(read["Service"])


# --- what they start ------------------------------------------------------------------------------------------------


def commands() -> Iterator[list[str]]:
    """The words of all that start a worker, from the name of the command on."""
    worker = parsed(DEPLOY / "compose.yaml")[0]["services"]["worker"]
    yield [re.sub(r"\$\{LABELS:-(\w+)\}", r"\1", word) for word in worker["command"]]
    yield resource("Job")["spec"]["template"]["spec"]["containers"][0]["args"]
    values = settings(DEPLOY / "systemd/crawl.env")
    line = re.sub(r"\$\{(\w+)\}", lambda name: values[name[1]], unit()["Service"]["ExecStart"])
    program, *words = line.split()
    assert program == "/opt/posterbot/bin/posterbot"
    yield words


def test_each_starts_a_crawl() -> None:
    for words in commands():
        assert words[:3] == ["crawl", "-a", "labels=poster"], words


@pytest.mark.parametrize("path", ["systemd/crawl.env", "example.env"])
def test_what_is_set_is_read_from_the_environment(path: str) -> None:
    given = set(settings(DEPLOY / path))
    ours = set(re.findall(r'environ\.get\("(\w+)"', (ROOT / "posterbot/settings.py").read_text()))
    others = {"PGPASSWORD", "GOOGLE_APPLICATION_CREDENTIALS"}  # of PostgreSQL's and Google's libraries
    here = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text() + UNIT.read_text()))
    assert given <= ours | others | here
    assert "OPERATOR_CONTACT" in given


def test_the_example_has_all_that_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert asked == set(settings(DEPLOY / "example.env"))


def test_the_manifests_name_what_they_define() -> None:
    job, secret = resource("Job")["spec"]["template"]["spec"], resource("Secret")
    named = {name for source in job["containers"][0]["envFrom"] for ref in source.values() for name in [ref["name"]]}
    assert named == {resource("ConfigMap")["metadata"]["name"], secret["metadata"]["name"]}
    assert job["serviceAccountName"] == resource("ServiceAccount")["metadata"]["name"]
    database = resource("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    keys = {one["valueFrom"]["secretKeyRef"]["key"] for one in database["env"] if "valueFrom" in one}
    assert keys <= set(secret["stringData"])
    assert f"@{resource('Service')['metadata']['name']}/" in resource("ConfigMap")["data"]["CATALOGUE_URL"]


def test_no_worker_is_started_after_the_end() -> None:
    """It would begin another crawl."""
    worker = parsed(DEPLOY / "compose.yaml")[0]["services"]["worker"]
    job = resource("Job")["spec"]
    assert unit()["Service"]["Restart"] == worker["restart"] == "on-failure"
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert "completions" not in job


def test_there_are_ten() -> None:
    assert parsed(DEPLOY / "compose.yaml")[0]["services"]["worker"]["deploy"]["replicas"] == 10
    assert resource("Job")["spec"]["parallelism"] == 10


def test_the_image_gets_the_locked_versions() -> None:
    """By the very line of the Dockerfile, every version of the lock is one of the image's constraints."""
    script = re.search(r"sed -n '([^']+)' requirements\.lock", (DEPLOY / "Dockerfile").read_text())
    assert script
    lock = ROOT / "requirements.lock"
    done = subprocess.run(["sed", "-n", script[1], lock], capture_output=True, text=True, check=True)
    assert done.stdout.split() == re.findall(r"^[A-Za-z0-9._-]+==[^ ]+", lock.read_text(), re.MULTILINE)


def test_the_image_is_built_from_what_is_there() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()}
    admitted = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    assert copied <= admitted
    assert all((ROOT / name).exists() for name in copied)
    assert {"pyproject.toml", "MANIFEST.in", "LICENSE", "NOTICE", "posterbot", "models", "wikidump"} <= copied
