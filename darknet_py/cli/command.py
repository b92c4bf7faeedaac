"""How commands read their words: click's, with the C program's habits.

-rounds, --rounds     a long option has one dash or two, wherever it stands
-rounnds              what is no option is refused, and the nearest one named: click would take
                      `-out file` for `-o ut` and go on
--json --csv          two that set one thing are refused: click would take the last
-nogpu train          where to compute may stand before the command
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import click

_NUMBER = re.compile(r"-[0-9.]")
_WORD = re.compile(r"--?[A-Za-z][A-Za-z_-]{2,}")
"""-qt may be a cluster of flags, and -t3 a value."""


class Command(click.Command):
    """One whose options have one dash or two."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(_as_declared(args, self.get_params(ctx), ctx)))


class Group(click.Group):
    """Commands in sections, the main ones first; old names lead to those of today."""

    command_class = Command

    def __init__(
        self,
        *arguments: Any,
        sections: Sequence[tuple[str, Sequence[click.Command]]] = (),
        others: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        """sections: titles, and the commands below each. others: names that are no commands of
        ours, and either the words that mean the same here or, with a blank in front, what to say
        to who looks for them."""
        super().__init__(*arguments, **more)
        self.sections, self.others = sections, others or {}
        for _, commands in sections:
            for each in commands:
                self.add_command(each)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        if ctx.parent is None:
            args = _devices_last(args)
        before = next((i for i, word in enumerate(args) if not word.startswith("-")), len(args))
        mine = list(_as_declared(args[:before], options, ctx))
        return super().parse_args(ctx, mine + args[before:])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.commands:
            other = self.others.get(name)
            if other is None:
                near = _nearest(name, [*self.commands, *self.others])
                meant = f" Did you mean {' or '.join(near)}?" if near else ""
                ctx.fail(f"No such command '{name}'.{meant}")
            if other.startswith(" "):
                ctx.fail(f"'{name}' of the C program{other}.")
            return self.resolve_command(ctx, [*other.split(), *args[1:]])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self.sections:
            super().format_commands(ctx, formatter)
            return
        widest = max(len(name) for name in self.commands)
        limit = formatter.width - 6 - widest
        for title, commands in self.sections:
            with formatter.section(title):
                formatter.write_dl(
                    [
                        ((each.name or "").ljust(widest), each.get_short_help_str(limit))
                        for each in commands
                    ]
                )


Group.group_class = Group


def _devices_last(words: list[str]) -> list[str]:
    """-i N, -gpus N,N and -nogpu before a command, where the C program also reads them, behind it;
    before what else it is given, as that may be after a --."""
    first: list[str] = []
    while words and words[0].lstrip("-") in _DEVICES and words[0].startswith("-"):
        count = _DEVICES[words[0].lstrip("-")]
        first, words = first + words[:count], words[count:]
    command = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return [*words[:command], *first, *words[command:]] if words else first


_DEVICES = {"i": 2, "gpus": 2, "nogpu": 1}
"""How many words each of these options is."""


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, names, 3)


def _as_declared(
    words: Sequence[str], parameters: Sequence[click.Parameter], context: click.Context
) -> Iterator[str]:
    """The words, options with the dashes that click knows them by. Raises NoSuchOption."""
    known: dict[str, click.Option] = {}
    for each in parameters:
        if isinstance(each, click.Option):
            known |= dict.fromkeys((*each.opts, *each.secondary_opts), each)
    seen: dict[str | None, click.Option] = {}
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield word
            break
        name, equals, value = word.partition("=")
        if len(name) > 1 and name.startswith("-") and not _NUMBER.match(name):
            if name not in known:
                name = _other_dashes(name, known, context)
            yield name + equals + value
            option = known.get(name)
            other = seen.setdefault(option.name, option) if option else None
            if other is not option and option and other:
                both = f"{other.opts[-1]} and {option.opts[-1]}"
                raise click.UsageError(f"{both}: give one.", ctx=context)
            if option and not equals and not (option.is_flag or option.count):
                yield from (value for _, value in zip(range(option.nargs), rest, strict=False))
            continue
        yield word
    yield from rest


def _other_dashes(name: str, known: dict[str, click.Option], context: click.Context) -> str:
    """-word for --word or the other way round; or the word as it is, where it is `-ofile` or a
    cluster of flags, or click has something to say of it."""
    other = name[1:] if name.startswith("--") else f"-{name}"
    if other in known and len(other) > 2:
        return other
    if not _WORD.fullmatch(name):
        return name
    words = [each for each in known if len(each) > 2]
    near = [f"--{each}" for each in _nearest(name.lstrip("-"), [e.lstrip("-") for e in words])]
    if near or name[:2] not in known:
        raise click.NoSuchOption(name, possibilities=near, ctx=context)
    return name
