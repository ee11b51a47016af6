"""Commands of ``claimx`` that are more than a few lines: one module each, registered in `cli`."""
