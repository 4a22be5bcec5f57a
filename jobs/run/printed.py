"""What commands print for a person."""

import click

from udfs.visible import visible


def echo(text: str) -> None:
    """Print text, in which names and files from outside may stand."""
    click.echo(visible(text, keep="\n"))
