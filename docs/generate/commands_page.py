"""Every command with its help, as a page of a manual: synopsis, description, options, exit status, examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import markup
import usage

SHOWN = 4
"""Examples of one command."""
STATUS = (
    ("0", "it did what was asked"),
    ("1", "something outside is not as it should be: one line on stderr says what"),
    ("2", "the command line is wrong"),
    ("130", "ended by Ctrl-C"),
)


def pages(root: Path) -> dict[str, str]:
    """Name of a page → the page, one for each program."""
    from models.__main__ import cli as models
    from posterbot.cli import SECTIONS
    from posterbot.cli import cli as posterbot
    from wikidump.__main__ import cli as wikidump

    known = usage.read(root)
    programs = {"posterbot": posterbot, "python -m models": models, "python -m wikidump": wikidump}
    sections = {"posterbot": {title: list(listed) for title, listed in SECTIONS.items()}}
    return {
        f"{name.split()[-1]}.md": manual_of(name, program, known, sections.get(name, {}))
        for name, program in programs.items()
    }


def manual_of(
    name: str, program: click.Command, known: list[usage.Example], sections: Mapping[str, list[str]] | None = None
) -> str:
    """The page of a program: all its commands, and all of theirs.

    Args:
        name: as it is called.
        program: its command, or group of commands.
        known: where examples are taken from.
        sections: title → names of commands that belong together; without it all do.
    """
    if not isinstance(program, click.Group):
        parts = [*markup.begin(name, ""), *_manual(name, program, known)]
        return markup.end([*parts, "**Exit status**", markup.table(("", ""), STATUS)])
    context = click.Context(program, info_name=name)
    names = program.list_commands(context)
    parts = markup.begin(name, _told(program.help or "")[0])
    table, manuals = [], []
    for title, listed in (sections or {"Commands": names}).items():
        table.append((f"**{title}**", ""))
        manuals.append(f"## {title}")
        for below in listed:
            command = program.get_command(context, below)
            assert command is not None
            for path, leaf in _commands(f"{name} {below}", command):
                anchor = _heading(path).replace(" ", "-")
                table.append((f"[{path.removeprefix(name + ' ')}](#{anchor})", _first(leaf)))
                manuals += [f"### {_heading(path)}", *_manual(path, leaf, known)]
    missing = set(names) - {below for listed in (sections or {"": names}).values() for below in listed}
    assert not missing, f"commands in no section: {missing}"
    parts += [
        markup.block(f"{name} COMMAND …"),
        markup.table(("command", ""), table if sections else table[1:]),
        *manuals,
    ]
    parts += ["## Exit status", "Of all commands, where they say nothing else:", markup.table(("", ""), STATUS)]
    return markup.end(parts)


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            if not below.hidden:
                yield from _commands(f"{path} {name}", below)


def _manual(path: str, command: click.Command, known: list[usage.Example]) -> Iterator[str]:
    about, status = _told(command.help or "")
    yield markup.block(f"{path} {_synopsis(command)}".strip())
    yield about
    rows = [row for parameter in command.params if (row := _option(parameter))]
    if rows:
        yield markup.table(("option", "meaning"), rows)
    if command.epilog:
        yield _told(command.epilog)[0]
    if status:
        yield f"**Exit status.** {status}"
    mine = _examples(path, command, known)
    if mine:
        yield "**Examples**"
        yield markup.block("\n".join(example.line for example in mine), "sh")
        more = dict.fromkeys(f"[{example.title}](../{example.page})" for example in mine)
        yield f"**See also** {', '.join(more)}"


def _synopsis(command: click.Command) -> str:
    words = []
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.required:
            words.append(f"{parameter.opts[0]} {_value(parameter)}")
        elif isinstance(parameter, click.Argument):
            value = _value(parameter)
            words.append(value if parameter.required or value.startswith("[") else f"[{value}]")
    options = any(isinstance(parameter, click.Option) and not parameter.required for parameter in command.params)
    return " ".join([*(["[OPTIONS]"] if options else []), *words])


def _value(parameter: click.Parameter) -> str:
    """What an option or argument takes, as the help calls it."""
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(parameter.type.choices) if _is_short(parameter) else parameter.opts[0].lstrip("-").upper()
    if isinstance(parameter, click.Argument):
        return (parameter.name or "").upper() + ("…" if parameter.nargs == -1 else "")
    if isinstance(parameter.type, (click.IntRange, click.types.IntParamType)):
        return "N"
    return {"text": "TEXT", "path": "PATH", "filename": "FILE", "file": "FILE", "directory": "FOLDER"}.get(
        parameter.type.name, parameter.type.name
    )


def _is_short(parameter: click.Parameter) -> bool:
    """Can all choices stand in the synopsis?"""
    return isinstance(parameter.type, click.Choice) and len("|".join(parameter.type.choices)) <= 20


def _option(parameter: click.Parameter) -> tuple[str, str] | None:
    if not isinstance(parameter, click.Option) or parameter.hidden:
        return None
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.is_flag:
        left = ", ".join(map(markup.code, names))
    else:
        left = ", ".join(map(markup.code, [*names[:-1], f"{names[-1]} {_value(parameter)}"]))
    said = [re.sub(r"\s*\[env var: .+?\]$", "", inspect.cleandoc(parameter.help or ""))]
    said[0] = markup.text(re.sub(r"\s*\[default: (.+?)\]$", r". Default: \1", said[0]))
    if said[0] and said[0][-1] not in ".…?":
        said[0] += "."
    if isinstance(parameter.type, click.Choice) and not parameter.metavar and not _is_short(parameter):
        said.append(f"One of {', '.join(map(markup.code, parameter.type.choices))}.")
    if isinstance(parameter.type, click.IntRange):
        said.append(_range(parameter.type))
    default = parameter.to_info_dict()["default"]
    if parameter.required:
        said.append("Required.")
    elif default not in (None, "", ()) and not parameter.is_flag and "efault" not in said[0]:
        said.append(f"Default: {markup.code(str(default))}.")
    if parameter.multiple:
        said.append("May be given several times.")
    if isinstance(parameter.envvar, str):
        said.append(f"Environment: {markup.code(parameter.envvar)}.")
    return left, " ".join(filter(None, said))


def _range(kind: click.IntRange) -> str:
    if kind.min is not None and kind.max is not None:
        return f"{kind.min} to {kind.max}."
    return f"At least {kind.min}." if kind.min is not None else ""


def _told(text: str) -> tuple[str, str]:
    """A command's help as Markdown: the description, and apart what it says of exit codes."""
    paragraphs, status = [], []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            paragraphs.append(markup.block(paragraph.removeprefix("\b\n")))
            continue
        sentences = re.split(r"(?<=\.) (?=[A-Z])", " ".join(paragraph.split()))
        status += [sentence for sentence in sentences if sentence.startswith(("Exit code", "Ends with "))]
        rest = " ".join(sentence for sentence in sentences if sentence not in status)
        paragraphs.append(markup.text(rest))
    return "\n\n".join(paragraphs), markup.text(" ".join(status)).removeprefix("Exit code: ")


def _first(command: click.Command) -> str:
    about = _told(command.help or "")[0]
    return re.split(r"(?<=[.:]) |\n", about, maxsplit=1)[0].rstrip(":.") + "."


def _examples(path: str, command: click.Command, known: list[usage.Example]) -> list[usage.Example]:
    below = command.commands if isinstance(command, click.Group) else {}
    found: dict[str, usage.Example] = {}
    for example in known:
        line = example.line
        if line != path and not line.startswith(path + " "):
            continue
        words = line.removeprefix(path).split()
        if "--help" in words or "…" in line or (words and words[0] in below):
            continue
        found.setdefault(line, example)
    return list(found.values())[:SHOWN]


def _heading(path: str) -> str:
    """Without what GitHub and the site make different anchors of."""
    return path.removeprefix("python -m ")
