"""Figures by which gold and predicted annotations are compared; no torch."""

from claimx.metrics.scoring import Pair, score, span_calibration

__all__ = ["Pair", "score", "span_calibration"]
