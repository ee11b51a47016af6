"""The page of an evaluation in a real browser: filters, links into folded classes, keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, Browser
from tests.training.page.test_page import compared_page

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; on Debian: apt install chromium"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    """Whatever a test does, nothing is complained of and nothing asked for."""
    path = tmp_path / "report.html"
    path.write_text(compared_page(), encoding="utf-8")
    browser.open(path)
    yield browser
    assert browser.complaints == []
    assert {address.partition(":")[0] for address in browser.requests} == {"file"}


def shown(browser: Browser, selector: str) -> int:
    return browser.do(
        f"[...document.querySelectorAll('{selector}')].filter(each => !each.hidden).length"
    )


def test_a_class_in_the_table_leads_to_its_errors_and_opens_them(opened):
    opened.click('a[href="#class0"]')

    opened.wait("document.querySelector('#class0').open")
    assert opened.do("document.activeElement.parentElement.id") == "class0"


def test_filters_narrow_both_lists_and_give_them_back(opened):
    before = shown(opened, "#errors-list .item")

    opened.do("""(() => {
        const search = document.querySelector('[data-list="errors-list"] [type=search]');
        search.value = 'TRAM';
        search.dispatchEvent(new Event('input', {bubbles: true}));
    })()""")

    after = shown(opened, "#errors-list .item")
    assert 0 < after < before
    assert opened.do("document.querySelector('#errors-list details:not([hidden])').open")
    count = opened.do("""document.querySelector('[data-list="errors-list"] output').textContent""")
    assert count == f"{after} of {before} errors"
    opened.click('[data-list="errors-list"] button')
    opened.wait("!document.querySelector('#errors-list .item[hidden]')")
    opened.do("""(() => {
        const choice = document.querySelector('[data-list="changes-list"] [data-for=verdict]');
        choice.value = 'better';
        choice.dispatchEvent(new Event('input', {bubbles: true}));
    })()""")
    verdicts = "[...document.querySelectorAll('#changes-list .item:not([hidden])')].map(each => each.dataset.verdict)"
    assert set(opened.do(verdicts)) <= {"better"}


def test_tab_reaches_the_sections_first_the_skip_link(opened):
    opened.press("Tab")
    assert opened.do("document.activeElement.className") == "skip"
    opened.press("Tab")
    assert opened.do("document.activeElement.hash") == "#better-or-worse"


def test_nothing_but_tables_is_wider_than_a_small_screen(opened):
    opened.resize(380, 800)
    assert opened.do("document.documentElement.scrollWidth") <= 380
    opened.resize(1280, 900)
