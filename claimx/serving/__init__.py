"""The model behind HTTP: what `claimx serve` runs."""
