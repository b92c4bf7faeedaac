"""{commands} TITLE: every command of a section of `darknet --help`, from its help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from darknet_py.cli import darknet
from darknet_py.cli.command import Group

_CODE = re.compile(r"(`[^`]+`|(?<![\w-])--?[a-zA-Z][\w-]*)")


def sections() -> dict[str, list[tuple[str, click.Command]]]:
    """The sections of `darknet --help`: names and commands; those of a group come behind it."""
    assert isinstance(darknet, Group)
    return {
        title: [each for command in commands for each in _with_those_below("darknet", command)]
        for title, commands in darknet.sections
    }


def _with_those_below(above: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    name = f"{above} {command.name}"
    yield name, command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _with_those_below(name, below)


class Commands(SphinxDirective):
    """A section for each command: its help, its examples, its options."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        return [_section(*each) for each in sections()[self.arguments[0]]]


def _section(name: str, command: click.Command) -> nodes.section:
    section = nodes.section(ids=[name.replace(" ", "-")], names=[name])
    section += nodes.title(text=name)
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    section += _block(f"{name} {usage}", "text")
    section += [_paragraph_or_block(each) for each in _paragraphs(command.help or "")]
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    listed = nodes.definition_list()
    for option in options:
        record = option.get_help_record(context)
        if record and "--help" not in option.opts:
            names, text = record
            term = nodes.term("", "", nodes.literal(text=names))
            definition = nodes.definition("", nodes.paragraph("", "", *_prose(text)))
            listed += nodes.definition_list_item("", term, definition)
    if len(listed):
        section += [nodes.rubric(text="Options"), listed]
    return section


def _paragraphs(text: str) -> list[str]:
    """Those of a help, without what only a terminal needs."""
    whole = inspect.cleandoc(text).split("\f")[0].replace("\b\n", "")
    return [each for each in re.split(r"\n\s*\n", whole) if each.strip()]


def _paragraph_or_block(text: str) -> nodes.Node:
    head, _, rest = text.partition("\n")
    if head in ("Example:", "Examples:"):
        return _block(inspect.cleandoc(rest), "sh")
    lines = text.split("\n")
    if all(line.startswith("  ") for line in lines):
        return _block(inspect.cleandoc("\n" + text), "text")
    return nodes.paragraph("", "", *_prose(" ".join(text.split())))


def _block(text: str, language: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language)


def _prose(text: str) -> list[nodes.Node]:
    """Text, in which `words` and --options are code."""
    parts = _CODE.split(text)
    return [
        nodes.literal(text=part.strip("`")) if place % 2 else nodes.Text(part)
        for place, part in enumerate(parts)
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
