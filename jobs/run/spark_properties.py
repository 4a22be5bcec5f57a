"""Spark properties, put together from the files in `conf`."""

import re
from importlib.resources import files
from pathlib import Path

from udfs.errors import InputError

MANAGERS = ("local", "standalone", "yarn", "kubernetes")
HARDWARE = ("gpu",)
STORES = ("s3", "gcs", "adls", "hdfs")
PACKAGES = "spark.jars.packages"


def text(*names: str) -> str:
    """A properties file: conf/base.conf, conf/cluster.conf but for `local`, and those named; with one list of jars.

    Raises:
        InputError: an unknown name, no cluster manager, or two.
    """
    known = MANAGERS + HARDWARE + STORES
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"there is no profile {unknown[0]!r}; choose from {', '.join(known)}")
    if len(managers := [name for name in names if name in MANAGERS]) != 1:
        said = " and ".join(managers) or "none"
        raise InputError(f"name exactly one cluster manager ({', '.join(MANAGERS)}); this names {said}")
    shared = ("base",) if managers == ["local"] else ("base", "cluster")
    files_said = [_file(name) for name in (*shared, *_in_order(names))]
    packages = ",".join(value for said in files_said for name, value in lines(said) if name == PACKAGES)
    rest = "\n".join(re.sub(rf"(?m)^{re.escape(PACKAGES)}\s.*\n", "", said) for said in files_said)
    return f"# rollcall properties {' '.join(names)}\n\n{PACKAGES:57} {packages}\n\n{rest}"


def properties(*names: str) -> dict[str, str]:
    """The same, by name."""
    return dict(lines(text(*names)))


def packaged(name: str) -> dict[str, str]:
    """The properties of one file of `conf`, by name."""
    return dict(lines(_file(name)))


def read_file(path: Path) -> dict[str, str]:
    """The properties of a file, by name.

    Raises:
        InputError: it cannot be read, or a property takes several lines.
    """
    try:
        said = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the file of Spark properties {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    for number, line in enumerate(said.splitlines(), 1):
        if re.search(r"(?<!\\)(\\\\)*\\$", line.rstrip()) and line.lstrip()[0] not in "#!":
            raise InputError(f"{path}: line {number} goes on in the next one (\\); write each property in one line")
    return dict(lines(said))


def _in_order(names: tuple[str, ...]) -> list[str]:
    return [name for name in MANAGERS + HARDWARE + STORES if name in names]


def _file(name: str) -> str:
    return files("conf").joinpath(f"{name}.conf").read_text(encoding="utf-8")


def lines(said: str) -> list[tuple[str, str]]:
    """The names and values in a properties file, in its order."""
    stripped = (line.strip() for line in said.splitlines())
    split = (re.split(r"[\s=:]+", line, maxsplit=1) for line in stripped if line and line[0] not in "#!")
    return [(name, "".join(value)) for name, *value in split]  # a name alone has an empty value
