"""The commands. `python main.py RECIPE.yaml` is short for `python main.py run RECIPE.yaml`."""

from __future__ import annotations

import json
import sys
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from relearn_lite import __version__
from relearn_lite.cli.arguments import RunByDefault
from relearn_lite.cli.export_options import export_options, refuse_idle_options
from relearn_lite.cli.mistakes import disk_problem
from relearn_lite.core import distributed
from relearn_lite.core.environment import quiet_libraries, share_cores
from relearn_lite.core.errors import RecipeError

if TYPE_CHECKING:
    from relearn_lite.recipe import Recipe

_STAGES = Path(__file__).parents[1] / "pipeline/stages/stages.yaml"  # read here: importing them would take seconds
ROLES = {"eval": " (asked before and after, and reported)", "select": " (asked to choose by, and not reported)"}
STAGE_NAMES = tuple(yaml.safe_load(_STAGES.read_text(encoding="utf-8")))


runs_option = click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where run folders go."
)


def with_recipe(command):
    """Gives a command the recipe that its first argument names, read with the overrides behind it."""

    @click.argument("recipe", type=click.Path(path_type=Path))
    @click.argument("overrides", nargs=-1, metavar="[section.key=value ...]")
    @wraps(command)
    def read(recipe: Path, overrides: tuple[str, ...], **options):
        from relearn_lite.recipe import load_recipe

        return command(load_recipe(recipe, overrides), **options)

    return read


@click.group(cls=RunByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relearn-lite")
def cli() -> None:
    """Makes a language model forget chosen knowledge and stay fluent (ReLearn), on one GPU or none.

    python main.py RECIPE.yaml [section.key=value ...] runs a recipe; started again, it goes on where it stopped.
    """
    share_cores()
    quiet_libraries()


@cli.command()
@with_recipe
@click.option(
    "--from", "start", metavar="STAGE", help=f"Do this stage and all after it again: {', '.join(STAGE_NAMES)}."
)
@click.option("--until", metavar="STAGE", help="Stop after this stage.")
@click.option("--fresh", is_flag=True, help="Do everything again.")
@click.option("--quiet", is_flag=True, help="No progress: what took how long, warnings, and the result at the end.")
@runs_option
def run(recipe: Recipe, start: str | None, until: str | None, fresh: bool, quiet: bool, runs: Path) -> None:
    """Run a recipe: the stages that it needs, resuming what is there already. The default command.

    A folder that holds results of another recipe is refused; --from and --fresh say what is done again.
    """
    from relearn_lite import pipeline
    from relearn_lite.report.console import show_run

    folder = pipeline.in_first_process(
        lambda: pipeline.run(recipe, runs=runs, start=start, until=until, fresh=fresh, quiet=quiet)
    )
    if folder:
        show_run(folder)


@cli.command()
@with_recipe
def check(recipe: Recipe) -> None:
    """Validate a recipe and its data, list every error at once; loads no model, writes no run. Data of the hub are
    read, so they end up in its cache."""
    from relearn_lite import pipeline
    from relearn_lite.pipeline.stages import stages_of
    from relearn_lite.text.turns import shown

    data = pipeline.check(recipe)
    file = click.get_current_context().params["recipe"]
    click.echo(f"{file}: fine. Stages: {', '.join(stages_of(recipe))}")
    for part, rows in data.items():
        if rows:
            role = ROLES.get(part.rpartition("_")[2], "")
            count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
            click.echo(f"  data.{part}: {count}{role}, first: {shown(rows[0].question)!r}")


@cli.command()
@click.argument("arguments", nargs=-1, required=True, metavar="RECIPE.yaml [section.key=value ...] | RUN RUN ...")
@click.option("--again", multiple=True, metavar="METHOD", help="Do this method anew (or vanilla, or all); repeatable.")
@click.option("--quiet", is_flag=True, help="No progress, only the table at the end.")
@runs_option
def compare(arguments: tuple[str, ...], again: tuple[str, ...], quiet: bool, runs: Path) -> None:
    """Lay methods side by side: run those that a recipe names, or take finished runs. Exit code 1 if all failed."""
    from relearn_lite import pipeline
    from relearn_lite.compare import compare as run_all
    from relearn_lite.compare import compare_runs, show
    from relearn_lite.recipe import load_recipe

    if any(Path(each).is_dir() for each in arguments):
        if missing := [each for each in arguments if not Path(each).is_dir()]:
            ways = "give finished runs alone, such as runs/quickstart, or one recipe"
            raise RecipeError([f"compare: {each} is no folder; {ways}" for each in missing])
        if again:
            raise RecipeError("--again: these runs are finished; it belongs to a recipe with a compare section")
        show(compare_runs([Path(each) for each in arguments], runs / "compare"), runs / "compare")
    else:
        loaded = load_recipe(arguments[0], arguments[1:])
        finished = pipeline.in_first_process(lambda: run_all(loaded, runs=runs, again=again, quiet=quiet))
        if finished:
            show(finished[1], finished[0])
            if all(each.results is None for each in finished[1]):
                sys.exit(1)


@cli.command()
@with_recipe
@click.option("--measure", is_flag=True, help="Try it too: how long writing, asking and judging take on this machine.")
def plan(recipe: Recipe, measure: bool) -> None:
    """Say what a recipe takes and whether it fits; downloads no weights, unless asked to measure.

    Whether it fits this machine, and cards of 6 to 24 GB, or what to change; parameters, memory of every stage, disk,
    time of a step. Estimates for rows as long as model.max_length; what cannot be counted from the configuration is
    named.
    """
    from rich.console import Console

    from relearn_lite.plan import plan as show

    show(recipe, Console(highlight=False, soft_wrap=True).print, measure)


@cli.command()
@with_recipe
@click.option("--examples", type=click.IntRange(min=1), default=2, show_default=True, help="How many of each part.")
def preview(recipe: Recipe, examples: int) -> None:
    """Show a few examples as the model will see them: rendered template, which tokens are trained. Loads no model."""
    from relearn_lite.cli.preview import preview as show

    show(recipe, examples)


@cli.command()
@click.option(
    "--forget", type=click.Path(path_type=Path),
    help="Answers to forget questions: JSON, CSV or Parquet with {query, ground_truth, generated_response}.",
)
@click.option("--retain", type=click.Path(path_type=Path), help="Answers to retain questions, likewise.")
@click.option(
    "--language-model", metavar="NAME_OR_FOLDER",
    help="Causal model for perplexity and LS: embedded, a folder or a hub id. Without one these two are missing.",
)
@click.option(
    "--evaluators", default="embedded", show_default=True, metavar="embedded|minilm|models|FILE.yaml",
    help="Who judges, as a recipe's evaluate.evaluators; FILE.yaml holds the keys of that section.",
)
@click.option("--metrics", metavar="kfr,ls,...", help="Which metrics; default: kfr,krr,ls,rouge,leak.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the values of each answer, not a table.")
def score(
    forget: Path | None, retain: Path | None, language_model: str | None, evaluators: str, metrics: str | None,
    as_json: bool,
) -> None:
    """Metrics of answers that any model gave. Give --forget, --retain or both."""
    from relearn_lite.evaluate.evaluate import evaluate, read_files
    from relearn_lite.evaluate.score import examples, score_evaluators
    from relearn_lite.metrics import METRICS
    from relearn_lite.pipeline.stages.evaluate import shares
    from relearn_lite.recipe.names import DEFAULT_METRICS, metric_name_problems
    from relearn_lite.report.console import show_scores, stage_progress

    if forget is None and retain is None:
        raise RecipeError(
            "score: give --forget, --retain or both, each a file of {query, ground_truth, generated_response}"
        )
    names = [name.strip() for name in metrics.split(",")] if metrics is not None else DEFAULT_METRICS
    if problems := metric_name_problems(names, "--metrics"):
        raise RecipeError(problems)
    files = {"forget": forget, "retain": retain}
    if all(files[side] is None for name in names for side in METRICS[name].sides):
        needed = " or ".join(f"--{side}" for side in dict.fromkeys(s for name in names for s in METRICS[name].sides))
        raise RecipeError(f"--metrics: {', '.join(names)} can only be had of other answers; give {needed} too")
    answers = read_files(forget, retain)  # before a model is loaded for nothing
    judges = score_evaluators(evaluators, names, language_model)
    with stage_progress("score", total := sum(map(len, answers.values()))) as advance:
        results, scores = evaluate(answers, judges, names, shares(advance, total, "as given"))
    if as_json:
        told = {"evaluators": judges.names(), "examples": examples(answers, scores)}
        click.echo(json.dumps(results | told, indent=2, ensure_ascii=False))
    else:
        show_scores(results, judges)


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[section.key=value ...]")
@export_options
def export(
    run: Path, overrides: tuple[str, ...], to: Path | None, checked: Path | None, augmented: Path | None, columns: str,
    no_check: bool, formats: tuple[str, ...], private: bool, **choices: Any,
) -> None:
    """Carry a run's unlearned model away (--to FOLDER), measured again: rounding can bring back what was forgotten.

    What was exported is loaded and asked the run's questions; where KFR fell by more than 0.05, a red line says so and
    the exit code is 1. With --augmented FILE: the run's augmented data in the format of the paper's code.
    """
    if sum(each is not None for each in (to, checked, augmented)) != 1:
        ways = "--to FOLDER, --check PLACE (measures an export again) or --augmented FILE"
        raise RecipeError(f"export: give one of {ways}")
    refuse_idle_options(click.get_current_context())
    if augmented:
        from relearn_lite.augment.published import export_augmented

        if overrides:
            raise RecipeError(f"export: {overrides[0]} changes nothing in --augmented; remove it")
        click.echo(f"{export_augmented(run, augmented, columns)} rows: {augmented}")
        return
    from relearn_lite.export import Export, check_export, export_run
    from relearn_lite.pipeline.finished_run import reopened
    from relearn_lite.report.console import show_export

    opened = reopened(run, "export", overrides)
    if checked:
        found = check_export(opened, checked)
    else:
        asked = Export(to, formats or ("safetensors",), check=not no_check, private=private, **choices)
        found = export_run(opened, asked, lambda line: click.echo(f"export: {line}", err=True))
    if found and show_export(found.table(), found.lost, found.same, found.asked, opened.folder.name):
        sys.exit(1)


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[section.key=value ...]")
@click.option("--ask", type=click.Path(path_type=Path), help="A text file, a question a line, each asked by itself.")
@click.option("--json", "as_json", is_flag=True, help="Of --ask or a pipe: an object a line, not text.")
def chat(run: Path, overrides: tuple[str, ...], ask: Path | None, as_json: bool) -> None:
    """Talk with a run's model before and after unlearning, side by side. Nothing is written to disk.

    /before, /after and /both choose who answers, /why tells what the last answers give away, Ctrl-C ends an answer.
    Questions can be piped in, one a line. Overrides change the run's recipe for the chat, such as
    generate.max_new_tokens=200.
    """
    from relearn_lite.chat import chat as talk
    from relearn_lite.pipeline.finished_run import reopened

    talk(reopened(run, "chat", overrides), ask, as_json)


@cli.command()
def schema() -> None:
    """Print the recipe's JSON schema, for editors."""
    from relearn_lite.recipe import Recipe

    click.echo(json.dumps(Recipe.model_json_schema(), indent=2))


@cli.command()
def doctor() -> None:
    """Say what this machine has, and what is missing or unsafe."""
    from relearn_lite.cli.doctor import doctor as examine

    examine()


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 2 the input is wrong, 1 anything else."""
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character, as in cp1252, shows ? for it
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        cli(standalone_mode=False)
    except RecipeError as error:
        for problem in error.problems if distributed.is_first() else ():
            click.echo(f"error: {problem}", err=True)
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except Exception as error:
        if not (told := disk_problem(error)):
            raise
        click.echo(told, err=True)
        sys.exit(2)
