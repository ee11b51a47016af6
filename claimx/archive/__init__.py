"""Archives: from files of articles to files of records, resumable, on one machine or many.

The way: inputs -> rows -> shards -> extractor -> writer -> receipt. `inputs` finds files and opens
them, `readers` turn them into rows, `writers` put records into shards, `shards` does one shard, and
the engines, `local` and `ray_engine`, schedule them.
"""
