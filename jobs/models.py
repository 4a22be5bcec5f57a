"""models: which there are, what is known of them, and how fast this machine runs them."""

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.reports import machine
from jobs.run.errors import run_command


@click.command(name="models")
@click.option("--speed", is_flag=True, help="Measure how many faces a second each embedder embeds on one thread here.")
def command(speed: bool) -> None:
    """List the models: what they are trained on, under which licence, and whether their weights are here.

    The settings choose a detector and an embedder among them (vision.detector, vision.embedder). A fused embedder is
    several beside each other. `rollcall weights fetch NAME` fetches what is not here.
    """
    headings = ["name", "kind", "dimensions", "crop", "licence", "trained on", "weights"]
    table = Table(*headings, *(["faces/s"] if speed else []), box=box.SIMPLE_HEAD)
    for row in machine.model_rows(speed):
        table.add_row(*[Text(cell) for cell in row])
    Console(width=None if Console().is_terminal else 240).print(table)


if __name__ == "__main__":
    run_command(command)
