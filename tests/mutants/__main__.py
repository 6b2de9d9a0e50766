"""Run every mutant of the reference environment and print the score: `make mutants`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.mutants.environments import engine, reference, trust
from tests.mutants.generate import mutants
from tests.mutants.questions import Proofs
from tests.mutants.runner import Runner
from tests.mutants.score import Score
from tests.mutants.verdict import with_proofs

_PROCESSES = 2


def main() -> None:
    """Print the score; exit 1 where settings go unnoticed, or a survivor was never read."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the score as JSON as well")
    arguments = parser.parse_args()
    start = time.perf_counter()
    templates = reference()
    made = mutants(templates)
    print(f"{len(made)} mutants of {len(templates)} stacks", file=sys.stderr)
    judged = Runner(templates, engine()).run(made)
    print(f"rules: {time.perf_counter() - start:.1f} s, synth included", file=sys.stderr)
    score = Score.of(with_proofs(judged, Proofs(templates, trust()), processes=_PROCESSES))
    print(score.table())
    print(f"\n{len(made)} mutants in {time.perf_counter() - start:.1f} s, synth included", file=sys.stderr)
    if arguments.json:
        arguments.json.write_text(json.dumps(score.data(), indent=2) + "\n")
    sys.exit(score.kinds["setting"].score < 98 or bool(score.unread))


if __name__ == "__main__":
    main()
