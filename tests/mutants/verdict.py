"""What became of a mutant, and how the proofs take part in it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tests.mutants.layers import Layer, Layers
from tests.mutants.mutant import SETTING, Mutant
from tests.mutants.questions import Proofs
from tests.mutants.reviewed import entry_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant.

    Attributes:
        mutant: The mutant.
        rules: The rules that noticed.
        cells: The first question whose answer became graver, where no rule noticed.
        layer: What still holds, where no cell became graver; None where nothing is known to, or nothing is
            weaker.
    """

    mutant: Mutant
    rules: tuple[str, ...]
    cells: tuple[str, ...] = ()
    layer: Layer | None = None

    @property
    def killed(self) -> bool:
        """Whether a rule or a proof noticed."""
        return bool(self.rules or self.cells)


Found = tuple[tuple[str, ...], Layer | None]


def with_proofs(verdicts: Iterable[Verdict], proofs: Proofs, *, processes: int = 1) -> list[Verdict]:
    """Ask the proofs about every mutant of access or reachability that no rule noticed.

    Args:
        verdicts: What the rules came to.
        proofs: The environment and its matrix.
        processes: Among how many processes the mutants are shared out.
    """
    verdicts = list(verdicts)
    open_ = [
        number
        for number, verdict in enumerate(verdicts)
        if not verdict.killed and verdict.mutant.kind != SETTING
    ]
    layers = Layers(proofs)

    def judge(numbers: Sequence[int]) -> list[Found]:
        return [_judge(verdicts[number].mutant, proofs, layers) for number in numbers]

    # Neighbours stay together, as much of what is proved for one serves the next.
    size = max(1, -(-len(open_) // (4 * processes)))
    shares = [open_[start : start + size] for start in range(0, len(open_), size)]
    found = _shared_out(judge, shares, processes) if processes > 1 else map(judge, shares)
    for share, results in zip(shares, found, strict=True):
        for number, (cells, layer) in zip(share, results, strict=True):
            verdicts[number] = replace(verdicts[number], cells=cells, layer=layer)
    return verdicts


def _judge(mutant: Mutant, proofs: Proofs, layers: Layers) -> Found:
    cells = proofs.first(mutant)
    entry = entry_of(mutant)
    # What weakens nothing needs no second layer.
    return cells, None if cells or (entry and entry.equivalent) else layers.of(mutant)


_work: Callable[[Sequence[int]], list[Found]]


def _shared_out(
    judge: Callable[[Sequence[int]], list[Found]], shares: list[list[int]], processes: int
) -> list[list[Found]]:
    global _work
    # What children of a fork find in memory need not be sent to them.
    _work = judge
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.map(_do, shares, chunksize=1)


def _do(share: list[int]) -> list[Found]:
    return _work(share)
