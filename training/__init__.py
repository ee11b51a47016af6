"""Training and evaluation of claimx models; runs from a checkout, not part of the wheel."""
