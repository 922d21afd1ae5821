"""How a command line is read: a recipe is run by default, and what is not as it must be is told in one sentence."""

from __future__ import annotations

from pathlib import Path

import click

from relearn_lite.cli.mistakes import usage_problem
from relearn_lite.core.errors import RecipeError, did_you_mean


class Command(click.Command):
    """Tells what is wrong with its arguments as a RecipeError."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise RecipeError(usage_problem(error, ctx)) from None


class RunByDefault(click.Group):
    """Takes a first argument that is no command for a recipe to run, unless it can only be a misspelt command."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise RecipeError(
                "no recipe and no command is given; give a recipe, such as recipes/quickstart.yaml, or a command: "
                f"{', '.join(self.commands)}; --help tells what each does"
            )
        own = [name for option in self.get_params(ctx) for name in option.opts]
        if args[0].startswith("-") and args[0] not in own:  # one of run
            if command := next((word for word in args if word in self.commands), None):
                raise RecipeError(f"{args[0]} is in front of the command {command}; put it behind, or see --help")
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args[0] not in self.commands:
            if (hint := did_you_mean(args[0], self.commands)) and not ("." in args[0] or Path(args[0]).exists()):
                raise RecipeError(f"no command or file is called {args[0]}; {hint}commands: {', '.join(self.commands)}")
            args = ["run", *args]
        return super().resolve_command(ctx, args)
