"""The page at / in a browser: an article is tried with a click, nothing is complained of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


def test_an_article_is_tried_with_a_click(server, tmp_path):
    browser = Browser(tmp_path)
    try:
        url = f"http://{server.host}:{server.port}/"
        browser.call("Page.navigate", url=url)
        browser.wait("document.readyState === 'complete' && location.port")
        browser.do("document.querySelector('textarea').value = '<b>“No,”</b> she said.'")
        browser.click("button")
        browser.wait("document.querySelector('#found').textContent.startsWith('{')")
        assert "<b>“No,”</b> she said." in browser.do("document.querySelector('#found').innerText")
        if folder := os.environ.get("CLAIMX_PICTURES"):  # to look at
            browser.picture(Path(folder) / "serve-top.png")
            browser.resize(1280, 6000)
            browser.picture(Path(folder) / "serve-light.png")
            browser.prefer("dark")
            browser.resize(420, 3000)
            browser.picture(Path(folder) / "serve-dark-narrow.png")
        assert browser.complaints == []
        assert all(address.startswith(url) for address in browser.requests)
    finally:
        browser.close()
