"""A server process without a model: ``python -m tests.serving.stand_in LIMITS``.

Its reader says of each article how many others it was read with; articles can tell it to take
its time, to fail, or to break the thread that reads.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence

from claimx.errors import ConfigError
from claimx.serving import server
from claimx.serving.limits import Limits
from claimx.serving.service import Service
from claimx.serving.worker import Worker
from claimx.types import Article, Extraction, Failure, Quote

FACTS = {
    "claimx": "0.0.0", "model": "stand-in 0 (00000000)", "backend": "none", "device": "cpu",
    "dtype": "float32", "attribution": "reported",
}  # fmt: skip


class Reader:
    """Keeps to the contract of `Extractor.extract_many`."""

    def extract_many(self, articles: Sequence[Article]) -> list[Extraction]:
        for article in articles:
            if wait := re.search(r"takes (\S+) seconds", article.text):
                time.sleep(float(wait[1]))
            if "breaks the reader" in article.text:
                raise ZeroDivisionError("broken")
            if "ends the thread" in article.text:
                raise SystemExit
        return [self._extract(article, len(articles)) for article in articles]

    def _extract(self, article: Article, together: int) -> Extraction:
        if "cannot be read" in article.text:
            return Extraction(article.id, meta=article.meta, error=Failure("odd", "it is odd"))
        quotes = ()
        if article.text:
            quotes = (Quote("q0", 0, len(article.text), article.text, "indirect", 0.5),)
        return Extraction(
            article.id, "0" * 64, FACTS["model"], "reported", article.meta,
            notes=(f"together {together}",), quotes=quotes, text=article.text,
        )  # fmt: skip


def main(limits: str) -> None:
    given = json.loads(limits)
    chars = given.pop("chars_at_once", 1000)
    try:
        listener = server.bind("127.0.0.1", given.pop("port", 0))
    except ConfigError as error:
        sys.exit(str(error))
    worker = Worker(Reader(), chars)
    service = Service(worker, Limits(**given), FACTS)
    server.run(service, listener, lambda: print(server.url_of(listener), flush=True))
    print("ended", worker.close(1.0), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
