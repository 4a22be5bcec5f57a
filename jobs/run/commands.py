"""Commands whose options are said once: of two values click takes the last, and nobody learns which one counted."""

from collections import Counter

import click


class Command(click.Command):
    """A command that refuses an option that is said twice, unless it may be repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            self._refuse_twice(ctx, args)
        return super().parse_args(ctx, args)

    def _refuse_twice(self, ctx: click.Context, args: list[str]) -> None:
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for option, times in Counter(order).items():
            once = isinstance(option, click.Option) and not (option.multiple or option.count or option.is_eager)
            if once and times > 1:
                name = max(option.opts, key=len)
                raise click.UsageError(f"{name} is given {times} times; give it once", ctx)
            if isinstance(option, click.Option) and option.metavar == "NAME=VALUE":
                self._refuse_name_twice(ctx, option, given[str(option.name)])

    def _refuse_name_twice(self, ctx: click.Context, option: click.Option, values: list[str]) -> None:
        for name, times in Counter(value.partition("=")[0] for value in values).items():
            if times > 1:
                raise click.UsageError(f"{option.opts[0]} {name} is given {times} times; give it once", ctx)


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command
