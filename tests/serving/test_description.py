"""What a server says of itself is so: schemas, examples and the page."""

from __future__ import annotations

import base64
import hashlib
import inspect
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import claimx
from claimx.commands.serve import serve
from claimx.serving.limits import Limits
from claimx.types import Extraction

PAGE = (Path(claimx.__file__).parents[1] / "docs" / "serve.md").read_text(encoding="utf-8")

schemas = pytest.importorskip("claimx.serving.schemas", reason="needs claimx[serve]")
app = pytest.importorskip("claimx.serving.app", reason="needs claimx[serve]")


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(keys(item) for key, item in value.items() if key != "meta"))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_a_full_record_fits_the_schema_and_fills_it(server, harbour):
    described = server.get("/openapi.json").json["components"]["schemas"]
    record = harbour.to_dict(with_text=True)
    schemas.Records.model_validate({"records": [record]})
    parts = ("Record", "Quote", "Speaker", "Source", "Person", "Claim", "Quantity", "Span")
    assert keys(record) == {key for part in parts for key in described[part]["properties"]}


def test_the_examples_are_a_request_and_its_answer():
    request = schemas.ExtractRequest.model_validate(app.example("request"))
    (record,) = schemas.Records.model_validate(app.example("response")).model_dump()["records"]
    assert (record["id"], record["meta"]) == (request.articles[0].id, request.articles[0].meta)
    (raw,) = app.example("response")["records"]
    assert Extraction.from_dict(raw).to_dict() == raw
    for quote in raw["quotes"]:
        assert request.articles[0].text[quote["start"] : quote["end"]] == quote["text"]


def test_fields_are_described_by_the_docstrings_of_the_record(server):
    described = server.get("/openapi.json").json["components"]["schemas"]
    assert described["Quantity"]["properties"]["value"]["description"].startswith("the number")
    assert "null for ranges" in described["Quantity"]["properties"]["value"]["description"]
    assert "Args:" not in str(described)
    operation = server.get("/openapi.json").json["paths"]["/extract"]["post"]
    assert {"200", "413", "422", "429", "503"} <= set(operation["responses"])


def test_the_page_is_well_formed_and_loads_nothing_from_elsewhere(server):
    answer = server.get("/")
    page, policy = answer.body.decode(), answer.headers["content-security-policy"]
    stack: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attributes):
            named = dict(attributes)
            assert not {"src", "srcset", "style"} & set(named)
            assert not any(name.startswith("on") for name in named)
            if tag != "meta":
                stack.append(tag)

        def handle_endtag(self, tag):
            assert stack.pop() == tag

    Checker().feed(page)
    assert not stack
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_shows_the_address_as_text(server):
    page = server.send(b"", path="/", method="GET", Host="x<script>y").body
    assert b"<script>y" not in page


# ---- docs/serve.md ----------------------------------------------------------------------------


def test_the_client_in_the_documentation_works(server, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(program.replace("http://127.0.0.1:8000", f"http://{server.host}:{server.port}"), {})
    assert capsys.readouterr().out == "a ['“We will close two mines,” said Ana Ruiz.']\n"


def test_the_body_in_the_documentation_is_a_request(server):
    (body,) = re.findall(r"-d '(.*?)'", PAGE, re.S)
    assert server.send(body.encode()).records[0]["quotes"]


def test_the_limits_in_the_documentation_are_those_of_the_command():
    limits = Limits()
    for name, option in {
        "body": "max-bytes", "articles": "max-articles", "chars": "max-chars",
        "waiting": "max-requests", "seconds": "timeout",
    }.items():  # fmt: skip
        (row,) = [line for line in PAGE.splitlines() if f"`--{option}` |" in line]
        assert row.startswith(f"| {int(getattr(limits, name)):,} ")
        default = inspect.signature(serve).parameters[option.replace("-", "_")].default
        assert default == getattr(limits, name)
    for number in (limits.held, limits.headers, limits.sending, 4 * limits.waiting + 100):
        assert f"| {int(number):,} " in PAGE
    assert f"within {limits.grace:g} seconds" in PAGE
