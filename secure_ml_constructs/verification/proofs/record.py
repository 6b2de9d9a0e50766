"""What was answered, left beside the templates: for `secure-ml prove`, for reports, for auditors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from secure_ml_constructs.verification.proofs.questions import Answer, Trust, summarize
from secure_ml_constructs.verification.templates import TemplateError

FILE = "secure-ml-proofs.json"


def as_json(answers: Sequence[Answer]) -> dict[str, Any]:
    """Give answers in the form that `secure-ml prove --format json` prints."""
    return {"answers": [answer.as_json() for answer in answers], "summary": summarize(answers)}


def write_record(folder: Path, trust: Trust, answers: Sequence[Answer]) -> None:
    """Leave answers, and who was trusted, in a cloud assembly.

    Args:
        folder: The assembly (`cdk.out`).
        trust: Who was no adversary.
        answers: The answers.
    """
    record = {"trust": trust.as_json(), **as_json(answers)}
    (folder / FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_trust(folder: Path) -> Trust | None:
    """Read who was trusted when an assembly was made; None where nobody was asked.

    Args:
        folder: The assembly (`cdk.out`).

    Raises:
        TemplateError: The file is there and is no record.
        ConfigurationError: It names what there is not.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        given = json.loads(path.read_text(encoding="utf-8"))["trust"]
    except (ValueError, KeyError, TypeError) as error:
        raise TemplateError(str(path), None, f"This is no record of proofs: {error}.") from None
    return Trust.read(given, str(path))
