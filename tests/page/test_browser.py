"""The page in a real browser: links, lines, filters, keyboard, hostile texts, large texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from claimx.page.document import page
from claimx.types import Extraction
from tests.browser import CHROMIUM, Browser
from tests.page.large import repeated
from tests.page.parsing import marked, written
from tests.page.test_page import HOSTILE

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; on Debian: apt install chromium"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def opened(browser: Browser, harbour: Extraction, tmp_path: Path) -> Iterator[Browser]:
    """The page of the sample; whatever a test does, nothing is complained of or asked for."""
    browser.open(written_to(tmp_path, harbour))
    yield browser
    assert browser.complaints == []
    assert {address.partition(":")[0] for address in browser.requests} == {"file"}


def written_to(folder: Path, *found: Extraction) -> Path:
    path = folder / "page.html"
    path.write_bytes(page(found).encode())
    return path


def lit(browser: Browser, where: str = ".text") -> list[str]:
    return browser.do(
        f"[...document.querySelectorAll('{where} .lit')].map(each => each.textContent)"
    )


def seen(browser: Browser, selector: str) -> int:
    return browser.do(
        f"[...document.querySelectorAll('{selector}')].filter(each => each.checkVisibility()).length"
    )


def test_hovering_a_quote_shows_who_said_it_and_draws_lines_to_cue_and_speaker(opened):
    opened.hover('.text [data-q="1"]')
    opened.wait("!document.querySelector('.strip').hidden")
    assert "Ines Okafor (“She”)" in opened.do("document.querySelector('.strip').textContent")
    assert {"She", "said "} <= set(lit(opened))  # the quote begins with "that"
    assert opened.do("document.querySelectorAll('.lines .to-cue path').length") == 1
    assert opened.do("document.querySelectorAll('.lines .to-speaker path').length") == 1
    # The line ends at the speaker.
    assert opened.do("""(() => {
        const dot = document.querySelector('.lines .to-speaker circle').getBoundingClientRect();
        const box = document.querySelector('[data-s="1"]').getBoundingClientRect();
        const [x, y] = [dot.left + dot.width / 2, dot.top + dot.height / 2];
        return x >= box.left && x <= box.right && y >= box.top - 5 && y <= box.bottom + 5;
    })()""")
    opened.hover("h3")
    opened.wait("document.querySelector('.strip').hidden")


def test_tab_goes_through_the_quotes_and_shows_them_and_enter_leads_to_the_list(opened):
    for _ in range(30):
        opened.press("Tab")
        if opened.do("document.activeElement.id") == "a0-q0":
            break
    assert "“Close the pier,”" in lit(opened)
    assert "Direct quote 1: Ines Okafor" in opened.do(
        "document.querySelector('.strip').textContent"
    )
    opened.press("Tab")
    assert opened.do("document.activeElement.id") == "a0-q1"
    opened.press("Enter")
    opened.wait("location.hash === '#a0-said1'")
    opened.press("Escape")


def test_clicking_in_the_list_goes_to_the_place_in_the_text_and_stays_there(opened):
    opened.resize(420, 500)
    opened.click("#a0-said1 a")
    opened.wait("document.activeElement.id === 'a0-q1'")
    opened.wait("""(() => {
        const box = document.querySelector('#a0-q1').getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight;
    })()""")
    assert "She" in lit(opened)
    opened.resize(1280, 900)


def test_clicking_a_claim_shows_who_claims_it(opened):
    opened.click("#a0-claim0 a")
    opened.wait("document.activeElement.id === 'a0-c0'")
    told = opened.do("document.querySelector('.strip').textContent")
    assert "Claim: about 40 percent piles" in told
    assert "Ines Okafor · 0.90" in told


@pytest.mark.parametrize(
    ("change", "count", "quotes"),
    [
        ("form.elements.who.value = 's0'", "2 of 3 quotes, 1 of 2 claims", ["0", "1"]),
        ("form.querySelector('[value=direct]').checked = false", "2 of 3 quotes, 2 of 2 claims",
         ["1", "2"]),
        ("form.querySelector('[value=claims]').checked = false", "3 of 3 quotes, 0 of 2 claims",
         ["0", "1", "2"]),
        ("form.elements.score.value = 0.8", "1 of 3 quotes, 2 of 2 claims", ["0"]),
    ],
)  # fmt: skip
def test_filters_hide_what_is_not_wanted_in_the_text_and_in_the_list(opened, change, count, quotes):
    opened.do(
        f"(() => {{ const form = document.querySelector('.filters'); {change};"
        "form.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    assert opened.do("document.querySelector('.count').textContent") == count
    shown = "[...document.querySelectorAll('.text [data-q]:not(.off)')].map(one => one.dataset.q)"
    assert sorted(set(opened.do(shown))) == quotes
    assert seen(opened, ".side [data-quote]") == len(quotes)
    opened.click(".filters button")
    opened.wait("document.querySelectorAll('.text .off').length === 0")
    assert seen(opened, ".side [data-quote]") == 3


def test_marks_have_their_names_when_asked(opened):
    name = "getComputedStyle(document.querySelector('.text .speaker.new'), '::before').content"
    assert opened.do(name) == "none"
    opened.click(".labels")
    assert opened.do(name) == '"speaker"'
    assert opened.do("document.querySelector('.text').innerText").startswith("“Close the pier")


def test_a_hostile_article_stays_text(browser, tmp_path):
    text = f"{HOSTILE}\r\n\r\n\0<svg onload=alert(2)> said {HOSTILE} \U0001f600"
    found = marked(text, [("quote", 0, 60), ("speaker", 70, 90), ("person", 65, 80)], id=HOSTILE)
    browser.open(written_to(tmp_path, replace(found, meta={HOSTILE: HOSTILE}, model=HOSTILE)))
    browser.hover('.text [data-q="0"]')
    assert browser.do("document.querySelector('.text').textContent") == written(text)
    assert browser.do("document.querySelectorAll('script, img, svg:not(.lines)').length") == 1
    assert browser.complaints == []
    assert len(browser.requests) == 1


def test_without_a_script_the_links_still_lead_to_their_places(browser, harbour, tmp_path):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(written_to(tmp_path, harbour))
        assert seen(browser, ".filters") == 0
        browser.click("#a0-said1 a")
        browser.wait("location.hash === '#a0-q1'")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_a_large_article_is_laid_out_as_it_comes_into_sight_and_can_be_used(
    browser, harbour, tmp_path
):
    large = repeated(harbour, 250_000 // len(harbour.text))
    browser.call("Performance.enable", timeDomain="threadTicks")
    browser.open(written_to(tmp_path, large))
    figures = browser.call("Performance.getMetrics")["metrics"]
    # Time of the page's own thread: other work on the machine is no fault of the page.
    work = {one["name"]: one["value"] for one in figures}
    assert work["LayoutDuration"] + work["RecalcStyleDuration"] < 0.6
    browser.click("#a0-said2001 a")
    browser.wait("document.activeElement.id === 'a0-q2001'")
    browser.wait("document.querySelectorAll('.lines path').length > 0")
    assert browser.complaints == []
