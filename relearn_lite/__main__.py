"""python -m relearn_lite: the same as python main.py."""

from relearn_lite.cli import main

if __name__ == "__main__":
    main()
