"""One HTML page that shows articles with what was found in them.

The way of an article: `reading` (records joined with their texts) -> `marks` (flat segments) ->
`text` and `side` (the two columns) -> `document` (the page). Everything is built here, in Python,
where offsets are code points; the script of the page only lights up what is there already.
"""
