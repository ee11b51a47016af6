"""All targets."""

from __future__ import annotations

from scripts.fuzzing import annotations, archives, language, models

TARGETS = (*language.TARGETS, *annotations.TARGETS, *archives.TARGETS, *models.TARGETS)
