"""The matrix: a row an asset, a glyph a cell, letters where the terminal knows no signs."""

from __future__ import annotations

import io

import pytest

from secure_ml_constructs.verification.proofs.questions import Adversary, Answer, Verdict
from secure_ml_constructs.verification.report.matrix import print_matrix


def answer(
    verdict: Verdict,
    *,
    asset: str = "Lake/raw",
    deed: str = "read",
    adversary: Adversary = Adversary.INSIDER,
    kind: str = "data",
) -> Answer:
    return Answer(adversary, deed, asset, verdict, f"because of {asset}", "D3", kind)


def printed(*answers: Answer, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    print_matrix(answers, out)
    out.flush()
    return raw.getvalue().decode(encoding)


def row(text: str, name: str) -> list[str]:
    return next(line for line in text.splitlines() if name in line).split()[1:]


def test_each_verdict_has_a_sign_of_its_own() -> None:
    signs = {row(printed(answer(verdict)), "Lake/raw")[0] for verdict in Verdict}
    assert signs == {"✓", "◆", "▲", "?", "✗"}


def test_letters_stand_in_where_the_stream_takes_ascii() -> None:
    texts = [printed(answer(verdict), encoding="ascii") for verdict in Verdict]
    assert {row(text, "Lake/raw")[0] for text in texts} == {"+", "d", "g", "?", "X"}


def test_a_cell_shows_the_gravest_of_its_deeds() -> None:
    text = printed(
        answer(Verdict.PROVED),
        answer(Verdict.BROKEN, deed="write"),
        answer(Verdict.BY_DESIGN, deed="delete"),
    )
    assert row(text, "Lake/raw")[0] == "✗"


def test_adversaries_stand_across() -> None:
    text = printed(
        answer(Verdict.PROVED, adversary=Adversary.OUTSIDER),
        answer(Verdict.BROKEN, adversary=Adversary.DEPUTY),
    )
    heading, line = (
        next(each for each in text.splitlines() if part in each) for part in ("outsider", "Lake/raw")
    )
    assert abs(heading.index("outsider") + 4 - line.index("✓")) <= 2
    assert abs(heading.index("deputy") + 3 - line.index("✗")) <= 2


def test_many_alike_share_a_row() -> None:
    text = printed(*(answer(Verdict.PROVED, asset=f"Endpoint{i}", kind="endpoint") for i in range(20)))
    assert "Endpoint0 and 19 more" in text
    assert "Endpoint7" not in text


@pytest.mark.parametrize(
    ("verdict", "heading"),
    [
        (Verdict.BROKEN, "Broken:"),
        (Verdict.NOT_COVERED, "Not covered:"),
        (Verdict.NEEDS_GUARDRAIL, "Needs an organization guardrail:"),
        (Verdict.BY_DESIGN, "Allowed by design:"),
    ],
)
def test_what_somebody_has_to_see_to_is_told(verdict: Verdict, heading: str) -> None:
    text = printed(answer(verdict))
    assert heading in text
    assert "insider/read/Lake/raw" in text
    assert "because of Lake/raw (D3)" in text


def test_colours_only_where_there_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "0")
    assert "\x1b[" not in printed(answer(Verdict.BROKEN))
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in printed(answer(Verdict.BROKEN))
