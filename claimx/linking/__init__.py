"""From scored spans and links to quotes, sources, people and claims; no torch."""

from claimx.linking.assembly import assemble, quote_kind
from claimx.linking.people import resolve_people

__all__ = ["assemble", "quote_kind", "resolve_people"]
