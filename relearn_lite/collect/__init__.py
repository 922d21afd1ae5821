"""From a name, a topic or documents to questions: what can be asked, whether the model knows, which part each plays.

Nothing here says who judges or where things lie; stage `collect` does.
"""
