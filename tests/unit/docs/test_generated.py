"""The generated pages are those of the code as it is: `make docs` writes them."""

from __future__ import annotations

import pytest

from tests.support.generate_docs import PAGES, reference_summary
from tests.support.templates import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_fresh(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run `make docs` and read the diff"


def test_acknowledgements_stay_few() -> None:
    """A new one is a decision: mend the cause first, then raise the number here."""
    reasons = {accepted.reason for accepted in reference_summary().accepted}
    assert len(reasons) <= 31


def test_every_finding_is_accepted_by_its_exact_id_at_its_construct() -> None:
    """A wildcard with its resource or action, and never at a stack or the whole."""
    for accepted in reference_summary().accepted:
        assert "IAM5" not in accepted.rule or accepted.rule.endswith("]"), accepted
        assert accepted.construct.count("/") >= 2, accepted
