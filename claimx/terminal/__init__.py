"""The readable view of an extraction on a terminal.

The way of an article: `sentences` (what is shown and what is left out) -> `text` (the sentences
with everything marked in them) and `lists` (who said what, claims, people) -> `view` (all of it).
`pen` is the one place where text is put into what a terminal can show.
"""
