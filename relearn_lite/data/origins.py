"""Where a table's rows come from: a file, a folder with a benchmark's files, or the hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.hub import only_what_is_here
from relearn_lite.data.files import read_file, read_texts
from relearn_lite.recipe.presets import Table, table_of
from relearn_lite.recipe.yaml_text import parse

if TYPE_CHECKING:
    from relearn_lite.recipe import Source


class NotOnHub(RecipeError):
    """A benchmark's table could not be had from the hub.

    keys: of the recipe, that name it. files: what a folder with a copy would hold.
    """

    def __init__(self, keys: Sequence[str], name: str, reason: str, files: Iterable[str]):
        self.keys, self.files = list(dict.fromkeys(keys)), list(dict.fromkeys(files))
        self.name, self.reason = name, reason
        named = " and ".join(filter(None, (", ".join(self.files[:-1]), self.files[-1])))
        super().__init__(
            f"{', '.join(self.keys)}: the data set {name} could not be had from the hub ({reason}); without network, "
            f"put {named} into a folder and name it as folder beside the preset (docs/benchmarks.md)"
        )


def in_one_sentence(errors: Sequence[NotOnHub]) -> list[str]:
    """The problems of several tables, a sentence for each data set that they are from."""
    of_set: dict[tuple[str, str], list[NotOnHub]] = {}
    for error in errors:
        of_set.setdefault((error.name, error.reason), []).append(error)
    return [
        NotOnHub([key for each in same for key in each.keys], *origin, [file for each in same for file in each.files])
        .problems[0] for origin, same in of_set.items()
    ]  # fmt: skip


def rows_of_source(source: Source, table: Table, key: str) -> tuple[list[dict[str, Any]], str]:
    """The raw rows, and where they came from in words."""
    if source.path:
        return read_file(source.path, f"{key}.path"), str(source.path)
    folder = source.folder or table.folder
    if source.preset and folder:
        path = next((folder / name for name in table.files if (folder / name).is_file()), None)
        if path is None:
            raise RecipeError(
                f"{key}: {folder} holds none of {', '.join(table.files)}, which preset {source.preset} reads; "
                "correct data.folder, or leave it out to read from the hub"
            )
        if path.suffix == ".yaml":  # a list that comes with the project
            return [{"question": text} for text in parse(path.read_text(encoding="utf-8"))[0]], str(path)
        return read_texts(path, table.text, key) if table.text else read_file(path, key), str(path)
    name, config, split = table.hub if source.preset else (source.dataset, source.config, source.split)
    try:
        rows = _from_hub(name, config, split, source.revision)
    except RecipeError as error:
        if source.preset:
            files = [*table.files[:1], *table_of(table.shots).files[:1]]
            raise NotOnHub([key], name, error.problems[0], files) from None
        raise RecipeError(
            f"{key}: the data set {name} could not be had from the hub ({error.problems[0]}); "
            "check its name, config and split and the network, or give a local file (path) or copy (folder)"
        ) from None
    if table.column:
        rows = [record for row in rows for record in row[table.column]]
    return rows, f"{name} on the hub"


def _from_hub(name: str, config: str | None, split: str, revision: str | None) -> list[dict[str, Any]]:
    """Rows of a hub data set, through `datasets`, which keeps them in its cache. Raises RecipeError with the reason."""
    import datasets

    datasets.disable_progress_bars()
    only_what_is_here(name)
    try:
        return datasets.load_dataset(name, config, split=split, revision=revision).to_list()
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise RecipeError(first_line(error)) from None
