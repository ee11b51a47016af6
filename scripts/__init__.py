"""Scripts for those who work on claimx; run from a checkout with `pip install -e .`."""
