"""claimx: attributed quotes and quantitative claims from English news.

>>> from claimx import Extractor
>>> extractor = Extractor.from_pretrained()
>>> extraction = extractor("“We will close two mines,” said Ana Ruiz, head of Norvale.")

Importing this package loads no torch and changes nothing global: each public name is looked up
the first time it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from claimx.errors import (
        AnnotationError,
        CheckpointError,
        ClaimxError,
        ConfigError,
        FormatError,
        InputError,
    )
    from claimx.extractor import Extractor
    from claimx.modeling import ClaimxConfig, ClaimxModel
    from claimx.reading import read_files
    from claimx.types import (
        AnnotatedArticle,
        AnnotatedSpan,
        Article,
        Claim,
        Extraction,
        Failure,
        Link,
        Person,
        Quantity,
        Quote,
        Source,
        Span,
        Speaker,
    )

_HOMES = {
    "claimx.errors": (
        "AnnotationError", "CheckpointError", "ClaimxError", "ConfigError", "FormatError",
        "InputError",
    ),
    "claimx.extractor": ("Extractor",),
    "claimx.modeling": ("ClaimxConfig", "ClaimxModel"),
    "claimx.reading": ("read_files",),
    "claimx.types": (
        "AnnotatedArticle", "AnnotatedSpan", "Article", "Claim", "Extraction", "Failure", "Link",
        "Person", "Quantity", "Quote", "Source", "Span", "Speaker",
    ),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AnnotatedArticle",
    "AnnotatedSpan",
    "AnnotationError",
    "Article",
    "CheckpointError",
    "Claim",
    "ClaimxConfig",
    "ClaimxError",
    "ClaimxModel",
    "ConfigError",
    "Extraction",
    "Extractor",
    "Failure",
    "FormatError",
    "InputError",
    "Link",
    "Person",
    "Quantity",
    "Quote",
    "Source",
    "Span",
    "Speaker",
    "__version__",
    "read_files",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'claimx' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
