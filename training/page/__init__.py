"""The page of an evaluation (``python -m training.evaluate ... --html``): to be read, not parsed.

`document` puts it together from `tables` (figures and confusion), `charts` (what is drawn),
`errors` (by class) and `comparison` (with a baseline); `passages` marks spans in their sentences.
How a page is escaped, and what it may load: `claimx.page`.
"""
