"""The cut into regions is exact: no text is left out, and every text stands for its region."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_ml_constructs.verification.proofs.iam import languages
from secure_ml_constructs.verification.proofs.iam.languages import Language, TooManyError, witnesses
from secure_ml_constructs.verification.proofs.iam.patterns import (
    Pattern,
    arn_regex,
    fill_in,
    matches,
    tokens,
)

# The letters that the cut itself takes first when any letter would do.
TEXTS = ["".join(each) for length in range(1, 6) for each in product("xyY:", repeat=length)]


def pattern(text: str) -> Pattern:
    found = fill_in(tokens(text), {})
    assert isinstance(found, tuple)
    return found


def accepts(language: Language, text: str) -> bool:
    if language.by_segment:
        compiled = arn_regex(language.pattern)
        return compiled is not None and compiled.fullmatch(text) is not None
    if language.fold:
        return matches(pattern("".join(str(p) for p in language.pattern).lower()), text.lower())
    return matches(language.pattern, text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("xy*?:", min_size=1, max_size=5), max_size=4),
    st.lists(st.text("xyY", min_size=1, max_size=3), max_size=2),
    st.text("xy:", max_size=2),
)
def test_every_text_has_its_region(globs: list[str], folded: list[str], begins: str) -> None:
    cut = [Language(pattern(each)) for each in globs] + [Language((each,), fold=True) for each in folded]
    texts = witnesses(cut, begins)
    found = [tuple(accepts(language, text) for language in cut) for text in texts]
    among = [text for text in TEXTS if text.startswith(begins)]
    everywhere = {tuple(accepts(language, text) for language in cut) for text in among}
    assert everywhere <= set(found)
    assert all(text.startswith(begins) for text in texts)


@pytest.mark.parametrize(
    "globs",
    [["arn:aws:*:*:*:role/*"], ["arn:*:iam::*:role/x*", "arn:aws:iam::1?:*"], ["arn:aws:s3:::lake/*"]],
)
def test_segments_of_arns(globs: list[str]) -> None:
    cut = [Language(pattern(each), by_segment=each_way) for each in globs for each_way in (True, False)]
    found = {tuple(accepts(language, text) for language in cut) for text in witnesses(cut)}
    parts = (("aws", "b"), ("iam", "s3"), ("", "eu"), ("", "12", "1"), ("role/x", "role/y:z", "lake/a", "x"))
    texts = [":".join(("arn", *each)) for each in product(*parts)]
    assert {tuple(accepts(language, text) for language in cut) for text in texts} <= found


def test_a_colon_in_place_of_a_character() -> None:
    one = pattern("arn:?:s3:::lake")
    found = witnesses([Language(one), Language(one, by_segment=True)])
    assert any(accepts(Language(one), text) and not accepts(Language(one, True), text) for text in found)


def test_a_text_singled_out_stands_for_itself_alone() -> None:
    found = witnesses([Language(pattern("?")), Language(("x",))])
    assert "x" in found
    assert any(len(text) == 1 and text != "x" for text in found)


def test_too_many_combinations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_LIMIT", 50)
    with pytest.raises(TooManyError):
        witnesses([Language(pattern(f"*{letter}*b?")) for letter in "acdefgh"])


def test_texts_read_well() -> None:
    assert "anything-else" in witnesses([Language(pattern("vpce-1*"))])
    assert "lake/example" in witnesses([Language(pattern("lake/*"))])
