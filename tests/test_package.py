"""What people install: the wheel holds all that is needed and nothing else, runs anywhere, and without the extras."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("posterbot", "models", "wikidump")
PAPERS = ("README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "SECURITY.md")
SHIPPED_MODELS = {"imagenet", "text", "web-images"}
PIP = ("--disable-pip-version-check", "install", "--no-index", "--no-deps", "--ignore-installed", "--no-compile")
EXTRAS = ("adlfs", "botocore", "indexed_bzip2", "jinja2", "psycopg", "ray", "starlette", "uvicorn")
"""The modules of the extras, which are left out."""


def shipped() -> set[str]:
    """Every file of the packages, as paths in a wheel; models of one's own and what Python leaves are not shipped."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            parts = path.relative_to(ROOT).parts
            own = parts[:2] == ("models", "weights") and not {*parts} & SHIPPED_MODELS
            if path.is_file() and "__pycache__" not in parts and not own and not path.name.endswith(".weights.h5"):
                found.add("/".join(parts))
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], Path]:
    """The names in the source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    for name in (*shipped(), *PAPERS, "pyproject.toml", "MANIFEST.in"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    # What may lie about in a checkout.
    for name in (
        "benchmarks/speed.py",
        "data/catalogue.db",
        "models/weights/stamps/model.toml",
        "models/weights/web-images/last.weights.h5",
        "models_of_mine/__init__.py",
        "posterbot/__pycache__/cli.cpython-311.pyc",
        "posterbot/sample/site/.DS_Store",
        "tests/test_speed.py",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("")

    def build(kind: str, where: Path) -> Path:
        code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
        done = subprocess.run([sys.executable, "-c", code, folder], cwd=where, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))

    with tarfile.open(build("sdist", source)) as archive:
        archive.extractall(folder, filter="data")
        top = archive.getnames()[0]
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    return names, build("wheel", folder / top)


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_the_packages_and_nothing_else(built: tuple[set[str], Path]) -> None:
    assert names_in(built[1]) == shipped()


def test_the_source_distribution_holds_the_papers_too(built: tuple[set[str], Path]) -> None:
    more = {name for name in built[0] - shipped() if not name.startswith("posterbot.egg-info/")}
    assert more == {*PAPERS, "pyproject.toml", "MANIFEST.in", "PKG-INFO", "setup.cfg"}


def test_the_wheel_says_what_it_is(built: tuple[set[str], Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        about = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(about).decode()
        licences = {name.rpartition("/")[2] for name in archive.namelist() if ".dist-info/licenses/" in name}
    assert "License-Expression: Apache-2.0" in text
    assert licences == {"LICENSE", "NOTICE"}
    for extra in ("azure", "fast", "postgres", "ray", "s3", "serve"):
        assert f"Provides-Extra: {extra}\n" in text
    assert "![" not in text.partition("\n\n")[0]


def test_the_versions_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f'__version__ = "{version}"' in (ROOT / "posterbot/__init__.py").read_text()
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


NEED_EXTRAS = ("posterbot/stores/s3.py", "posterbot/stores/s3_refusals.py", "posterbot/web/")
"""Imported where an extra is asked for."""


def test_what_is_imported_comes_with_the_core() -> None:
    """At the top of a module, that is: what is imported inside a function has its own words when it is missing."""
    core: set[str] = set()
    waiting = ["posterbot"]
    while waiting:
        name = waiting.pop()
        for line in requires(name) or ():
            needed = canonicalize_name(Requirement(line).name)
            if "extra ==" not in line and needed not in core:
                core.add(needed)
                with suppress(PackageNotFoundError):
                    distribution(needed)
                    waiting.append(needed)
    known = {*sys.stdlib_module_names, *PACKAGES}
    providers = packages_distributions()
    for name in shipped():
        if name.endswith(".py") and not name.startswith(NEED_EXTRAS):
            for node in ast.parse((ROOT / name).read_text()).body:
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                for top in {module.partition(".")[0] for module in modules} - known:
                    assert {canonicalize_name(provider) for provider in providers[top]} & core, f"{name}: {top}"


@pytest.fixture(scope="module")
def installed(built: tuple[set[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment where pip has installed the wheel, with its dependencies and without its extras.

    The dependencies are this environment's, but for its own posterbot, which is the checkout.
    """
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    here = Path(sys.executable).parent
    done = run(here, folder, "python", "-m", "pip", "--python", folder / "bin/python", *PIP, built[1])
    assert done.returncode == 0, done.stderr
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("__editable__", "posterbot")) and path.name.partition(".")[0] not in EXTRAS:
            (dependencies / path.name).symlink_to(path)
    next(folder.glob("lib/python3*/site-packages")).joinpath("dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "bin"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, but for a file that must not be taken for Scrapy."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "scrapy.py").write_text("raise SystemExit('this is not Scrapy')\n")
    return folder


def run(programs: Path, folder: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """``words`` are a program and its arguments."""
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR"}}
    return subprocess.run(
        [programs / words[0], *words[1:]],
        cwd=folder,
        env=kept | {"PATH": f"{programs}:/usr/bin:/bin", **more},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_versions(installed: Path, elsewhere: Path, package: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run(installed, elsewhere, "python", "-m", package, "--version").stdout == f"{package} {version}\n"


def test_it_is_the_wheel_that_runs(installed: Path, elsewhere: Path) -> None:
    code = "import posterbot, models, wikidump; print(posterbot.__file__, models.__file__, wikidump.__file__)"
    files = run(installed, elsewhere, "python", "-c", code).stdout.split()
    assert len(files) == 3
    assert all(Path(file).is_relative_to(installed.parent) for file in files)


def test_the_first_crawl(installed: Path, elsewhere: Path) -> None:
    """Without a checkout, a scrapy.cfg, or any extra."""
    done = run(installed, elsewhere, "posterbot", "crawl", "-a", "labels=poster")
    assert done.returncode == 0, done.stderr
    assert "contact sheet  data/runs/1/kept.html" in done.stdout
    assert (elsewhere / "data/runs/1/kept.html").is_file()
    stats = run(installed, elsewhere, "posterbot", "stats", "--json")
    assert json.loads(stats.stdout)["kept"] > 20, stats.stderr


@pytest.mark.parametrize(
    ("words", "settings", "extra"),
    [
        (["posterbot", "stats"], {"CATALOGUE_URL": "postgresql://me@127.0.0.1:1/posters"}, "postgres"),
        (["posterbot", "fsck"], {"IMAGES_STORE": "s3://bucket/posters"}, "s3"),
        (["posterbot", "fsck"], {"IMAGES_STORE": "az://bucket/posters"}, "azure"),
        (["posterbot", "serve"], {}, "serve"),
        (["python", "-m", "wikidump", "enwiki.xml", "--out", "films.jsonl", "--ray"], {}, "ray"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_missing_extra_is_named(
    installed: Path, elsewhere: Path, words: list[str], settings: dict[str, str], extra: str
) -> None:
    (elsewhere / "enwiki.xml").write_text("<mediawiki><page><title>A</title></page></mediawiki>")
    done = run(installed, elsewhere, *words, **settings)
    assert done.returncode in {1, 2}
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"pip install 'posterbot[{extra}]'" in done.stderr
