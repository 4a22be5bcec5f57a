"""Pages out of templates. All text in them is escaped: names of persons and files come from outside."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined


def rendered(template: str, **values: object) -> str:
    """A template of this package, filled in."""
    environment = Environment(loader=PackageLoader("pages", "."), autoescape=True, undefined=StrictUndefined)
    return environment.get_template(template).render(**values)


def text_of(name: str) -> str:
    """A file of this package."""
    return files("pages").joinpath(name).read_text("utf-8")
