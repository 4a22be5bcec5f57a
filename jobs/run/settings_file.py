"""A settings file of a person's own gets a section of a model; all else in it stays, comments as well."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.run import settings
from jobs.run.own_models import MODEL_NAME
from udfs.errors import InputError
from udfs.vision.models import EMBEDDERS, MODELS
from udfs.vision.own import AdaptedDeclaration, DetectorDeclaration, OnnxDeclaration


def refuse_taken(path: Path, name: str) -> None:
    """Stop where the name of a new model cannot be used.

    Raises:
        InputError: a packaged model has it, or the file has a section of this name; or the settings are wrong.
    """
    if not re.fullmatch(MODEL_NAME, name):
        raise InputError(f"--name {name}: use letters, digits, - and _ only, the first a letter or digit")
    if name in {*MODELS, *EMBEDDERS}:
        raise InputError(f"a packaged model is called {name!r}; choose another --name")
    if path.exists() and name in settings.load(str(path)).models:
        raise InputError(f"{path} already has a section [models.{name}]; choose another --name, or remove the section")


def section(own: OnnxDeclaration | AdaptedDeclaration | DetectorDeclaration) -> str:
    """The section `[models.NAME]` of a declaration, as TOML."""
    values = _onnx(own) if isinstance(own, OnnxDeclaration) else _of_another(own)
    return "\n".join([f"[models.{own.name}]", *(f"{name} = {value}" for name, value in values.items())]) + "\n"


def _of_another(own: AdaptedDeclaration | DetectorDeclaration) -> dict[str, str]:
    return {"of": _text(own.of), "file": _text(own.file), "sha256": _text(own.sha256)}


def _onnx(own: OnnxDeclaration) -> dict[str, str]:
    margins = ", ".join(f"{detector} = {margin}" for detector, margin in own.margins)
    return {
        "file": _text(own.file),
        "sha256": _text(own.sha256),
        "crop": _text(own.crop),
        "side": str(own.side),
        **({"margins": f"{{ {margins} }}"} if margins else {}),
        "colour": _text(own.colour),
        "shift": str(own.shift),
        "scale": str(own.scale),
        "layout": _text(own.layout),
        "dimension": str(own.dimension),
        "answer": json.dumps(own.answer),
        "licence": _text(own.licence),
        "trained_on": _text(own.trained_on),
    }


def append(path: Path, added: str) -> None:
    """Append a section to a settings file, which is made as a copy of the packaged one if it does not exist.

    Raises:
        InputError: the settings would be wrong with it, or the file cannot be written; nothing is changed then.
    """
    path = path.resolve()  # a link stays one
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _alone(path):
            old = settings.text_of(str(path)) if path.exists() else settings.packaged_text()
            new = f"{old.rstrip()}\n\n{added}"
            settings.of_text(new, f"{path} with the new section")
            partial.write_text(new, encoding="utf-8")
            if path.exists():
                partial.chmod(path.stat().st_mode)
            partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written: {error.strerror}; choose another --config") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """While nobody else appends to a file of the same folder: of two at once the second adds to what the first has."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)  # and with it the lock


def _text(value: str) -> str:
    """A basic string of TOML, whose escapes are JSON's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
