"""All targets."""

from __future__ import annotations

from scripts.fuzzing.annotations import TARGETS as _ANNOTATIONS
from scripts.fuzzing.archives import TARGETS as _ARCHIVES
from scripts.fuzzing.language import TARGETS as _LANGUAGE
from scripts.fuzzing.models import TARGETS as _MODELS

TARGETS = (*_LANGUAGE, *_ANNOTATIONS, *_ARCHIVES, *_MODELS)
