"""models: which there are, what is known of them, how fast this machine runs them; and how one's own is added."""

from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.inputs.own_model import declare
from jobs.reports import machine
from jobs.run import settings, settings_file
from jobs.run.commands import Group
from jobs.run.errors import run_command
from jobs.run.log import LOGGER
from jobs.run.options import Number
from udfs.vision.own import NOT_STATED
from udfs.vision.preprocessing import LIKE


@click.group(name="models", cls=Group, invoke_without_command=True, context_settings={"max_content_width": 120})
@click.option("--config", metavar="FILE", help="Settings, whose own models are listed as well.")
@click.option("--speed", is_flag=True, help="Measure how many faces a second each embedder embeds on one thread here.")
@click.pass_context
def command(context: click.Context, config: str | None, speed: bool) -> None:
    """List the models: what they are trained on, under which licence, and whether their weights are here.

    The settings choose a detector and an embedder among them (vision.detector, vision.embedder). A fused embedder is
    several beside each other. `rollcall weights fetch NAME` fetches what is not here; `rollcall models add` declares
    an ONNX file of your own, and `rollcall train` what it has learnt.
    """
    if context.invoked_subcommand is not None:
        if config is not None or speed:
            helps = "leave --speed out" if speed else f"write {context.invoked_subcommand} first"
            raise click.UsageError(f"--config and --speed here belong to the list, `rollcall models`; {helps}")
        return
    headings = ["name", "kind", "dimensions", "crop", "licence", "trained on", "weights"]
    table = Table(*headings, *(["faces/s"] if speed else []), box=box.SIMPLE_HEAD)
    for row in machine.model_rows(speed, settings.load(config).own_models()):
        table.add_row(*[Text(cell) for cell in row])
    Console(width=None if Console().is_terminal else 240).print(table)


@command.command("add")
@click.argument("file", metavar="FILE.onnx")
@click.option("--name", metavar="NAME", required=True, help="What to call it in the settings.")
@click.option(
    "--like", type=click.Choice(list(LIKE)), required=True, help="Which family's crop and pixels it is given."
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("rollcall.toml"),
    show_default=True,
    help="The settings to write the section [models.NAME] to; a copy of the packaged ones, if there is no such file.",
)
@click.option(
    "--images", metavar="FOLDER", help="Photos of two persons or more, PERSON/photo.jpg, that it must tell apart."
)
@click.option("--crop", type=click.Choice(["arcface", "margin", "eyes"]), help="How faces are cut out, if otherwise.")
@click.option("--side", type=click.IntRange(16, 1024), help="Pixels of a crop's side, if otherwise.")
@click.option("--colour", type=click.Choice(["rgb", "bgr"]), help="The order of the channels it sees, if otherwise.")
@click.option("--shift", type=Number(), help="It sees (pixel - shift) / scale, with pixels from 0 to 255.")
@click.option("--scale", type=Number(0, min_open=True), help="See --shift.")
@click.option("--licence", default=NOT_STATED, help="In words: of the network and its weights.")
@click.option("--trained-on", default=NOT_STATED, help="In words: whose faces it was trained on.")
def add(
    *, file: str, name: str, like: str, config: Path, images: str | None, licence: str, trained_on: str, **sees: Any
) -> None:
    """Inspect and try an ONNX file, and declare it in the settings as an embedder.

    \b
    rollcall models add arcface.onnx --like arcface --name mine --images ./labelled
    rollcall embed --tables ./tables --all-pending --config rollcall.toml --set vision.embedder=mine

    A file that cannot be used is refused with the reason. One that can gets a section [models.NAME], with the digest of
    the file and a known answer, which every worker checks. --images finds out whether colours and pixels are right:
    photos of 20 persons are enough. The file itself stays where it is; workers read it there.
    """
    settings_file.refuse_taken(config, name)
    declared = declare(file, name, LIKE[like].changed(**sees), licence, trained_on, images, LOGGER)
    section = settings_file.section(declared)
    settings_file.append(config, section)
    click.echo(section)
    LOGGER.info(
        f"models: written to {config}; use it with --config {config} --set vision.embedder={name}. Its thresholds are"
        " not known: `rollcall calibrate` finds them on photos of yours"
    )


if __name__ == "__main__":
    run_command(command)
