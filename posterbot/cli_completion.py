"""``posterbot completion``: what makes a shell complete command lines."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_POSTERBOT_COMPLETE"
"""Click answers a shell instead of running a command where this is set."""


@click.command(short_help="Print what makes a shell complete posterbot's command lines.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete posterbot's commands and options. To have it in each new shell:

    \b
      bash  eval "$(posterbot completion bash)"    in ~/.bashrc
      zsh   eval "$(posterbot completion zsh)"     in ~/.zshrc, after compinit
      fish  posterbot completion fish | source     in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "posterbot", VARIABLE).source())
