"""What `scripts/fuzz.py` tries: targets, each a strategy of inputs and a check that must hold."""
