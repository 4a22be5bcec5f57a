"""doctor: what this machine has, and what to configure on it."""

import os
import platform
import shutil
import subprocess
from dataclasses import replace

import click

from jobs.run import settings as settings_module
from jobs.run.errors import run_command
from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.int8 import has_int8
from udfs.vision.models import EMBEDDERS
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec

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
    click.echo(f"search: {_search()}")
    _measure(settings)
    if missing:
        raise InputError(f"{', '.join(missing)} missing; the lines above say what to do")


def _java(_: str, __: settings_module.Settings) -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if java is None:
        raise InputError("not found; install Java 17, and set JAVA_HOME or PATH")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    return said.partition("\n")[0]


def _weights(name: str, settings: settings_module.Settings) -> str:
    weights.load(name, settings.weights.get(name))
    return "the digest of the weights matches"


def _search() -> str:
    from udfs.search.index import PATHS, fastest

    path = fastest(512).name
    if path == PATHS[0].name:
        return path
    return (
        f"{path}, the same bits as {PATHS[0].name} and slower: {PATHS[0].name} needs AVX-512 VNNI"
        " (compiled-avx2: AVX2), and a C++"
        " compiler at install"
    )


def _measure(settings: settings_module.Settings) -> None:
    from udfs.vision.speed import crops_per_second

    vision = settings.vision
    if vision.device != "cpu":
        click.echo("precision: measured for a CPU only; GPUs since 2020 (Ampere) compute fastest in bf16")
        return
    spec = settings.spec()
    specs: dict[str, VisionSpec] = {name: replace(spec, precision=name) for name in cpu_precisions()}
    if (int8 := f"{vision.embedder}-int8") in EMBEDDERS and has_int8():
        specs[int8] = replace(spec, embedder=int8)
    speeds = crops_per_second(specs)
    told = ", ".join(f"{name} {speed:.1f}" for name, speed in speeds.items())
    click.echo(f"speed: {vision.embedder} on {platform.machine()}: {told} faces/s a thread")
    best = max(cpu_precisions(), key=lambda precision: speeds[precision])
    chosen = best if speeds[best] >= _WORTH_IT * speeds["fp32"] else "fp32"
    configured = vision.precision if vision.precision != "fastest" else f"fastest, which is {spec.precision}"
    click.echo(f"precision: configured is {configured}; best here: --set vision.precision={chosen}")
    if int8 in speeds:
        click.echo(
            f"int8: {speeds[int8] / speeds[chosen]:.1f} times as fast: --set vision.embedder={int8};"
            " faces embedded by it can only be compared with each other, so galleries are enrolled again"
        )


if __name__ == "__main__":
    run_command(command)
