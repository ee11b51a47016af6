"""What a server answers to single requests, good and bad; it never breaks and never lies."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from claimx.types import Extraction

ARTICLE = {"id": "a", "text": "“No,” she said."}


def body(**changes: Any) -> bytes:
    return json.dumps({"articles": [ARTICLE], **changes}).encode()


def test_records_come_back_in_the_order_of_the_articles(server):
    texts = [f"Article {number}." for number in range(50)]
    records = server.extract(*texts).records
    assert [record["id"] for record in records] == [str(number) for number in range(50)]
    assert [record["quotes"][0]["text"] for record in records] == texts
    assert all("text" not in record for record in records)
    assert all(Extraction.from_dict(record).error is None for record in records)


def test_meta_passes_through_and_the_text_comes_back_on_request(server):
    article = {**ARTICLE, "title": "T", "meta": {"desk": ["a", 1, None]}, "source": "ignored"}
    (record,) = server.send({"articles": [article], "with_text": True}).records
    assert record["meta"] == {"desk": ["a", 1, None], "title": "T"}
    assert record["text"] == article["text"]


def test_no_articles_are_no_records(server):
    assert server.send({"articles": []}).records == []


@pytest.mark.parametrize(
    ("article", "article_id", "kind"),
    [
        ({"id": "a"}, "a", "bad_record"),
        ({"text": "No id."}, "1", "bad_record"),
        ({"id": 7, "text": "x"}, "1", "bad_record"),
        ({"id": "a", "text": "x", "meta": []}, "a", "bad_record"),
        ("just text", "1", "not_json"),
        (None, "1", "not_json"),
        ({"id": "a", "text": "This cannot be read."}, "a", "odd"),
    ],
)
def test_a_bad_article_is_an_error_record_in_its_place(server, article, article_id, kind):
    before, found, after = server.send({"articles": [ARTICLE, article, ARTICLE]}).records
    assert (found["id"], found["error"]["kind"]) == (article_id, kind)
    assert Extraction.from_dict(found).error is not None
    assert before["quotes"] == after["quotes"] != []


def test_a_reader_that_breaks_gives_error_records_and_goes_on(server):
    (record,) = server.extract("This breaks the reader.").records
    assert record["error"] == {"kind": "internal", "message": "ZeroDivisionError: broken"}
    assert server.extract("And on.").records[0]["quotes"]


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b'{"articles": [{"id": "\xff"}]}', 400, "not_utf8"),
        (b'{"articles": [], "articles": []}', 400, "duplicate_key"),
        (b'{"articles": [NaN]}', 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b'{"articles": [' + b"9" * 5_000 + b"]}", 400, "not_json"),
        (b"[]", 422, "bad_request"),
        (b"null", 422, "bad_request"),
        (b'{"article": {}}', 422, "bad_request"),
        (b'{"articles": {}}', 422, "bad_request"),
        (body(currency="EUR"), 422, "bad_request"),
        (body(with_text="yes"), 422, "bad_request"),
        (json.dumps({"articles": [ARTICLE] * 257}).encode(), 413, "too_many"),
    ],
)
def test_what_is_no_request_is_refused_with_a_sentence(server, sent, status, kind):
    answer = server.send(sent)
    assert (answer.status, answer.kind) == (status, kind)


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_page_of_another_site_cannot_send_articles(server, media):
    # What browsers send without asking first is refused, and they are never told they may.
    answer = server.send(body(), Content_Type=media, Origin="https://example.org")
    assert (answer.status, answer.kind) == (415, "not_json")
    asked = server.send(b"", method="OPTIONS", Origin="https://example.org")
    assert not any(name.startswith("access-control") for name in asked.headers)


def test_packed_bodies_are_refused(server):
    assert server.send(body(), Content_Encoding="gzip").kind == "encoded"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/extract", 405), ("POST", "/", 405), ("GET", "/docs", 404), ("GET", "/..%2f", 404)],
)
def test_other_routes_say_which_there_are(server, method, path, status):
    answer = server.send(b"", method=method, path=path)
    assert (answer.status, answer.kind) == (status, "no_such_route")
    assert "POST /extract" in answer.json["error"]["message"]


def test_lone_surrogates_travel_as_json_escapes(server):
    article = {"id": "\ud800", "text": "x\udfff", "meta": {"m": "\ud800"}}
    (record,) = server.send({"articles": [article]}).records
    assert (record["id"], record["meta"]) == (article["id"], article["meta"])
    assert server.send(b'{"\\ud800": 1, "articles": []}').status == 422


def test_health_names_the_model(server):
    answer = server.get("/health")
    assert (answer.status, answer.json["ready"]) == (200, True)
    assert answer.json["model"] == "stand-in 0 (00000000)"


def test_damaged_requests_never_break_the_server(server):
    """Flip, cut and join bytes of a good request; every answer is JSON and none is a 500."""
    chance = random.Random(8)
    whole = body(with_text=True)

    def damaged() -> bytes:
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            how = chance.randrange(4)
            if how == 0:
                data[at] = chance.randrange(256)
            elif how == 1:
                del data[at : at + chance.randrange(1, 9)]
            elif how == 2:
                data[at:at] = chance.choice([b'"', b"{", b"]", b"\\u", b"null", b"1e999", b"\x00"])
            else:
                data[at:at] = data[: chance.randrange(40)]
        return bytes(data) or b"0"

    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(server.send, [damaged() for _ in range(300)]):
            assert answer.status in (200, 400, 422), answer
            assert "records" in answer.json or answer.kind
    assert server.extract("And on.").records


def test_what_is_not_http_is_refused(server):
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")
    assert server.get("/health").status == 200
