"""`rollcall`: all jobs under one name. Each job is imported only when it is asked for."""

from importlib import import_module

import click

from jobs.run.commands import Group
from jobs.run.errors import run_command

COMMANDS = {
    "ingest": "List the files of a source and note those that are new or changed.",
    "embed": "Find and embed the faces of every image that has no outcome yet.",
    "enroll": "Register persons from their photos.",
    "gallery": "Look for samples that may show somebody else, and set samples aside.",
    "identify": "Find the nearest registered persons of each face, and decide.",
    "search": "Find the faces, among all that were ever seen, that are most like one.",
    "cluster": "Group the faces that show nobody registered into persons-to-be.",
    "report": "Write a page of faces to look at: of a date, a person, an investigation, or the unknown.",
    "explain": "Write a page on why a face was decided as it was, or found.",
    "close": "Close an investigation, which then holds nothing beyond its time.",
    "review": "Confirm or reject that faces show the persons they were found to be nearest to.",
    "verify": "Compare the faces of two images, or of many pairs.",
    "evaluate": "Measure error rates on labelled images.",
    "calibrate": "Find the threshold that holds an error rate at the gallery's size.",
    "train": "Learn from your own labelled photos, and find out on others whether it has helped.",
    "activate": "Choose the contract that `identify` follows, and see what each one covers.",
    "night": "Ingest, embed, identify and summary of a date, in one session.",
    "summary": "Write one page on the images, faces and matches of a date.",
    "status": "Say what is late, refused or failed, for a person and for monitoring.",
    "maintain": "Migrate tables of older releases, join small files, and remove files that no version needs.",
    "erase": "Erase a person or images everywhere, and prove it.",
    "retain": "Remove faces and images whose time is over, as the settings say.",
    "sweep": "Remove packed galleries and faces that were kept for the next run.",
    "properties": "Print the Spark properties for a cluster.",
    "show": "Print what the tables say of a person, an image or a face.",
    "sql": "Run SQL over the tables, by their names.",
    "doctor": "Look for what jobs need, and measure which precision to configure.",
    "models": "List the models, measure how fast this machine runs them, and add your own.",
    "weights": "List, fetch and verify the weights of the models.",
}


class _Jobs(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(f"jobs.{cmd_name}").command if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Jobs, and tools around them"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Jobs, context_settings={"max_content_width": 120})
@click.version_option(package_name="rollcall", prog_name="rollcall")
def rollcall() -> None:
    """Which registered people are in these images, and how sure are we?

    \b
    rollcall ingest   --tables ./tables --source ./photos
    rollcall embed    --tables ./tables --all-pending
    rollcall enroll   --tables ./tables --gallery ./people --gallery-name staff
    rollcall identify --tables ./tables --run-date 2026-01-31

    `rollcall JOB --help` says more. spark-submit jobs/JOB.py takes the same arguments.
    """


def main() -> None:
    """The console script."""
    run_command(rollcall)
