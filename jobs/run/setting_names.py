"""The names of all settings, and the one that is nearest to a name that is none."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from udfs.vision.models import EMBEDDERS, MODELS


def setting_names(settings: type[BaseModel], of_a_model: Mapping[str, type[BaseModel]], document: Any) -> set[str]:
    """The names that `--set` may change, with those of their sections.

    settings: whose fields are the sections. of_a_model: the sections that have a part for each embedder. document: what
    the file says: the models of one's own are in it.
    """
    own = set(_keys(document, "models"))
    names: set[str] = set()
    for section, field in settings.model_fields.items():
        if section in of_a_model:
            for model in {*EMBEDDERS, *own, *_keys(document, section)}:
                names |= {f"{section}.{model}", *_joined(f"{section}.{model}", of_a_model[section].model_fields)}
        elif section == "weights":
            names |= _joined(section, {*MODELS, *own})
        else:
            for kind in (field.annotation, *get_args(field.annotation)):
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    names |= _joined(section, kind.model_fields)
    return names


def unknown_name(name: str, names: Iterable[str]) -> str:
    """That there is no such setting, and which one may be meant."""
    near = get_close_matches(name, sorted(names), n=1) or sorted(
        known for known in names if known.rpartition(".")[2] == name.rpartition(".")[2]
    )
    return f"there is no setting {name}; " + (
        f"did you mean {near[0]}?" if near else "conf/rollcall.toml shows which there are"
    )


def _keys(document: Any, section: str) -> Iterable[str]:
    found = document.get(section)
    return found if isinstance(found, dict) else ()


def _joined(section: str, names: Iterable[str]) -> set[str]:
    return {f"{section}.{name}" for name in names}
