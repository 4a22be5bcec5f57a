"""doctor: what this machine has, and what to configure on it."""

import os
import platform
import shutil
import subprocess

import click

from jobs import settings as settings_module
from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.runtime import cpu_precisions

_WORTH_IT = 1.1  # times as fast: below that the more precise is the better choice


@click.command(name="doctor")
@click.option("--config", metavar="FILE", help="Settings, instead of the packaged conf/rollcall.toml.")
@click.option("--set", "changes", metavar="NAME=VALUE", multiple=True, help="Change one setting. May be repeated.")
def command(config: str | None, changes: tuple[str, ...]) -> None:
    """Look for what jobs need, and measure which precision to configure.

    Run it where tasks run: an executor's machine may be another kind than yours. Exit code 2 where
    something is missing.
    """
    settings = settings_module.load(config, changes)
    missing = []
    for name, check in (
        ("java", _java),
        *((model, _weights) for model in (settings.vision.detector, settings.vision.embedder)),
    ):
        try:
            click.echo(f"{name}: {check(name, settings)}")
        except InputError as error:
            click.echo(f"{name}: {error}")
            missing.append(name)
    _measure(settings)
    if missing:
        raise InputError(f"missing: {', '.join(missing)}; see above")


def _java(_: str, __: settings_module.Settings) -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if java is None:
        raise InputError("not found; install Java 17, and set JAVA_HOME or PATH")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    return said.partition("\n")[0]


def _weights(name: str, settings: settings_module.Settings) -> str:
    weights.load(name, settings.weights.get(name))
    return "weights are as they should be"


def _measure(settings: settings_module.Settings) -> None:
    from udfs.vision.speed import crops_per_second

    vision = settings.vision
    if vision.device != "cpu":
        click.echo("precision: measured for a CPU only; GPUs since 2020 (Ampere) compute fastest in bf16")
        return
    precisions = cpu_precisions()
    speeds = crops_per_second(settings.spec(), precisions)
    told = ", ".join(f"{precision} {speed:.1f}" for precision, speed in speeds.items())
    click.echo(f"speed: {vision.embedder} on {platform.machine()}: {told} faces/s a thread")
    best = max(speeds, key=lambda precision: speeds[precision])
    chosen = best if speeds[best] >= _WORTH_IT * speeds["fp32"] else "fp32"
    configured = vision.precision if vision.precision != "fastest" else f"fastest, which is {settings.spec().precision}"
    click.echo(f"precision: configured is {configured}; best here: --set vision.precision={chosen}")
