"""From a name to questions: what can be asked about it, whether the model knows, and which part each question plays.

Nothing here says who judges or where things lie; stage `collect` does.
"""
