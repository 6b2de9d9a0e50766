"""The pages of the rules are those of the rules as they are."""

import pytest

from tests.support.rule_pages import pages, stale_pages
from tests.support.templates import ROOT

pytestmark = pytest.mark.slow


def test_the_pages_are_fresh() -> None:
    wanted = pages()
    different = [path for path, text in wanted.items() if not _same(path, text)]
    assert different == [], "run `make docs` and read the diff"
    assert stale_pages(ROOT, wanted) == []


def _same(path: str, text: str) -> bool:
    page = ROOT / path
    return page.exists() and page.read_text(encoding="utf-8") == text
