"""weights: what models there are, and the files they need."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.run.commands import Group
from jobs.run.errors import run_command
from jobs.run.log import LOGGER
from udfs import downloads
from udfs.cache import cache
from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.models import MODELS, networks_of


@click.group(name="weights", cls=Group)
def command() -> None:
    """List, fetch and verify the weights of the models. Jobs themselves never download."""


@command.command("list")
def list_() -> None:
    """What weights there are, where they come from, and which are in the cache."""
    table = Table("name", "licence", "from", "in the cache")
    for model in MODELS.values():
        path = cache() / model.weights.file.name if model.weights.file else None
        there = "not needed" if path is None else str(path) if path.exists() else "no"
        table.add_row(model.name, f"{model.licence}; trained on {model.trained_on}", model.weights.origin, Text(there))
    Console(width=None if Console().is_terminal else 200).print(table)


@command.command("fetch")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def fetch(names: tuple[str, ...]) -> None:
    """Download the weights of models into the cache and verify them."""
    for network in dict.fromkeys(network for name in names for network in networks_of(name)):
        LOGGER.info(f"weights: fetching {network}")
        click.echo(downloads.fetch(network))


@command.command("verify")
@click.argument("name")
@click.option("--path", help="A file or URI, instead of the one in the cache.")
def verify(name: str, path: str | None) -> None:
    """Check that a file holds the weights it should."""
    networks = networks_of(name)
    if path is not None and networks != [name]:
        raise InputError(f"{name} is made of several networks; with --path, name one of them: {', '.join(networks)}")
    for network in networks:
        weights_of = MODELS[network].weights
        if path is not None and weights_of.file is None:
            raise InputError(f"the weights {network!r} are {weights_of.origin}, not in a file; leave out --path")
        weights.load(network, path)
        click.echo(f"{network}: digest matches")


if __name__ == "__main__":
    run_command(command)
