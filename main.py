"""python main.py RECIPE.yaml: see `python main.py --help`."""

from relearn_lite.cli import main

if __name__ == "__main__":
    main()
