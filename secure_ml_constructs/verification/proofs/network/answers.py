"""What a question about the network is answered with."""

from __future__ import annotations

from dataclasses import dataclass, field

from secure_ml_constructs.verification.proofs.iam.ternary import NotCovered
from secure_ml_constructs.verification.templates import Resource


@dataclass(frozen=True)
class Hop:
    """One step of a path.

    Attributes:
        text: The step in words: what it is, its logical id, and what of it lets the packet on.
        template: The stack whose template has it; empty where none does.
        logical_id: Its logical id; empty where no template has it.
        construct: Its path in the CDK's tree, where the template tells it.
    """

    text: str
    template: str = ""
    logical_id: str = ""
    construct: str = ""

    def __str__(self) -> str:
        return self.text

    @classmethod
    def at(cls, resource: Resource, kind: str, detail: str = "") -> Hop:
        """A step through a resource of the templates."""
        metadata = resource.body.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        return cls(
            f"{kind} {resource.logical_id}{' ' if detail else ''}{detail}",
            resource.template.name,
            resource.logical_id,
            path if isinstance(path, str) else "",
        )


@dataclass(frozen=True)
class Unreachable:
    """There is no path.

    Attributes:
        because: What stands in the way.
    """

    because: str

    def __str__(self) -> str:
        return f"unreachable: {self.because}"


@dataclass(frozen=True)
class Path:
    """A way there.

    Attributes:
        hops: The steps in order, from where the packet starts.
        ranges: The addresses at the far end, as CIDR blocks.
        services: The protocols and ports that get through.
        firewalls: The logical ids of the firewalls that see every packet of it.
        unresolved: What the templates do not say and was taken to be open; empty where they say it all.
    """

    hops: tuple[Hop, ...]
    ranges: tuple[str, ...] = field(default=(), compare=False)
    services: tuple[str, ...] = field(default=(), compare=False)
    firewalls: tuple[str, ...] = ()
    unresolved: str = ""

    def __str__(self) -> str:
        return " → ".join(hop.text for hop in self.hops)


Answer = Unreachable | Path | NotCovered
