"""python -m relearn_lite.join FOLDER STAGE NUMBER WORLD PORT: takes part in a training that another process leads.

`relearn_lite.unlearn.ranks` starts it; there is nothing that a user would call it for. It takes no lock and writes
nothing to the run folder: what finished stages left is read there, the training alone is shared.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path


def main(folder: str, stage: str, number: str, world: str, port: str) -> None:
    """Takes part in the training of one stage and exits with 0; with 2 where the recipe is at fault."""
    threading.Thread(target=_end_with_the_leader, daemon=True).start()
    from relearn_lite.environment import calm

    calm()
    from relearn_lite.errors import RecipeError
    from relearn_lite.recipe import load_recipe
    from relearn_lite.stages import STAGES, Work
    from relearn_lite.unlearn.ranks import Rank

    run = Path(folder)
    try:
        recipe = load_recipe(run / "recipe.yaml")
        STAGES[stage].run(Work(recipe, run, quiet=True, rank=Rank(int(number), int(world), int(port))))
    except RecipeError as error:
        print(f"error: {' '.join(error.problems)}", file=sys.stderr)
        sys.exit(2)


def _end_with_the_leader() -> None:
    """The leader holds the other end of this pipe; the system closes it when the leader dies, however it dies."""
    os.read(0, 1)  # not by sys.stdin, whose lock would be in the way when this process ends by itself
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
