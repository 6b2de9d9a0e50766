"""`secure-ml prove`: every question about templates, and what comes of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.proofs.record import as_json, read_trust
from secure_ml_constructs.verification.templates import TemplateError, load

PROVED, BROKEN, UNREADABLE = 0, 1, 2


def run(
    options: argparse.Namespace, out: TextIO, table: Callable[[Sequence[Answer], TextIO], None], config: Any
) -> int:
    """Answer the questions. Exit code: 0 nothing broken, 1 broken cells, 2 input that can't be read.

    Args:
        options: What the command line says.
        out: Where the answers go.
        table: Writes them for a person.
        config: The `proofs` section of the configuration file; None where it has none.
    """
    try:
        loaded = load(options.paths)
        trust = Trust.read(config, options.config) if config is not None else None
        for folder in loaded.assemblies:
            trust = trust or read_trust(folder)
    except (TemplateError, ConfigurationError) as error:
        print(f"secure-ml: {error}", file=sys.stderr)
        return UNREADABLE
    for skipped in loaded.skipped:
        print(f"secure-ml: skipped {skipped}", file=sys.stderr)
    answers = ask(loaded.templates, trust, questions=tuple(options.question or ("*",)))
    if options.question and not answers:
        print(f"secure-ml: no question is called {', '.join(options.question)}", file=sys.stderr)
        return UNREADABLE
    if options.format == "json":
        json.dump(as_json(answers), out, indent=1)
        out.write("\n")
    else:
        table(answers, out)
    bad = {Verdict.BROKEN, Verdict.NOT_COVERED} if options.strict else {Verdict.BROKEN}
    return BROKEN if any(answer.verdict in bad for answer in answers) else PROVED
