"""What went wrong, in our words: a command that was not typed as it must be, a disk that is full."""

from __future__ import annotations

import errno

import click

from relearn_lite.core.errors import did_you_mean

MISSING = {  # arguments by their names, in a sentence behind the name of the command
    "recipe": "RECIPE is missing; give a YAML file, such as recipes/quickstart.yaml",
    "run": "RUN is missing; give the folder of a run, such as runs/quickstart",
    "arguments": "nothing to compare is given; give a recipe with a compare section, such as "
    "recipes/compare_methods.yaml, or the folders of runs that are finished",
}

DISK_FULL = (
    "error: --runs: no space is left on the disk of the run folder; free some, then give the same command again: what "
    "is finished is kept. Or use --runs to name a folder on a larger disk"
)

NO_PLACE = (  # for a file: forbidden, or where a folder should be is a file, or the other way round
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG,
)  # fmt: skip


def usage_problem(error: click.UsageError, ctx: click.Context) -> str:
    """What click found wrong with the arguments of a command, as one sentence of ours."""
    return f"{ctx.info_name}: {_told(error, ctx)}; see {ctx.command_path} --help"


def _told(error: click.UsageError, ctx: click.Context) -> str:
    options = [each for each in ctx.command.get_params(ctx) if isinstance(each, click.Option)]
    names = [max(option.opts, key=len) for option in options]  # --help, and not -h
    if isinstance(error, click.MissingParameter):
        return MISSING[error.param.name]
    if isinstance(error, click.NoSuchOption):
        takes_keys = any(each.name in ("overrides", "arguments") for each in ctx.command.params)
        if takes_keys and (ours := _our_key(error.option_name)):
            return f"there is no option {error.option_name}; keys of a recipe are written without dashes: {ours}"
        hint = did_you_mean(error.option_name, names, like=0.6)
        return f"there is no option {error.option_name}; {hint}options: {', '.join(names)}"
    if isinstance(error, click.BadOptionUsage):
        option = next(each for each in options if error.option_name in (*each.opts, *each.secondary_opts))
        if option.is_flag:
            return f"{error.option_name} takes no value; write {error.option_name} alone"
        return f"{error.option_name} needs a value; give {option.make_metavar(ctx)}: {option.help.rstrip('.')}"
    message = f"{error.message[:1].lower()}{error.message[1:]}".rstrip(".")
    if isinstance(error, click.BadParameter):
        return f"{error.param.opts[0]}: {message}; {_allowed(error.param.type)}"
    return f"{message}; options: {', '.join(names)}"


def _allowed(kind: click.ParamType) -> str:
    if isinstance(kind, click.IntRange):
        return f"give an integer from {kind.min} on"
    return f"give one of {', '.join(kind.choices)}"


def _our_key(option: str) -> str | None:
    """How a key that somebody gave as an option, --learning_rate say, is written here; None where it is no key."""
    from relearn_lite.recipe.problems import full_key

    name = option.lstrip("-").replace("-", "_")
    ours = name if "." in name else full_key(name)
    return ours and (ours.replace(": ", "=") if ": " in ours else f"{ours}=VALUE")


def disk_problem(error: BaseException) -> str:
    """What the disk has to do with an error, as a sentence; empty where it has nothing."""
    if disk_is_full(error):
        return DISK_FULL
    if isinstance(error, OSError) and error.filename and error.errno in NO_PLACE:
        ways = "make it a place that you can read and write, or name another one: --runs for the folders of runs"
        return f"error: {error.filename}: {error.strerror}; {ways}"
    return ""


def disk_is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error. Libraries wrap it; safetensors keeps no more of it than the words."""
    while error is not None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left on device" in str(error) or "Disk quota exceeded" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
