"""The report of a run and the comparison of several: for the console, as a page and as Markdown.

Nothing is computed that the run folder does not already hold. What a report tells is put together once, as `sections`
of paragraphs, `tables` and `plots`; `render` draws them.
"""
