"""The threats to machine learning that controls and rules answer, with the names others give them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Threat:
    """One way in which an ML environment is attacked.

    Attributes:
        id: The name that rules and controls use.
        title: The name in running text.
        atlas: Technique ids of MITRE ATLAS.
        owasp: Ids of the OWASP Machine Learning Security Top Ten, 2023.
        ml_lens: Best practices of the Machine Learning Lens of the AWS Well-Architected Framework.
    """

    id: str
    title: str
    atlas: tuple[str, ...]
    owasp: tuple[str, ...] = ()
    ml_lens: tuple[str, ...] = ()


THREATS = {
    threat.id: threat
    for threat in (
        Threat(
            "data-poisoning",
            "Data poisoning",
            ("AML.T0020", "AML.T0059"),
            ("ML02", "ML10"),
            ("MLSEC04-BP03",),
        ),
        Threat(
            "model-theft",
            "Model theft and extraction",
            ("AML.T0024.002", "AML.T0044"),
            ("ML05",),
            ("MLSEC06-BP01",),
        ),
        Threat("model-inversion", "Model inversion", ("AML.T0024.001",), ("ML03",), ("MLSEC03-BP03",)),
        Threat(
            "membership-inference",
            "Membership inference",
            ("AML.T0024.000",),
            ("ML04",),
            ("MLSEC03-BP03",),
        ),
        Threat(
            "adversarial-input",
            "Adversarial input",
            ("AML.T0043", "AML.T0015"),
            ("ML01",),
            ("MLSEC05-BP01",),
        ),
        Threat("supply-chain", "Supply chain", ("AML.T0010",), ("ML06", "ML07"), ("MLSEC01-BP01",)),
        Threat(
            "resource-hijack",
            "Resource hijack",
            ("AML.T0034", "AML.T0012"),
            ml_lens=("MLSEC04-BP01",),
        ),
        Threat(
            "insider-exfiltration",
            "Exfiltration by insiders",
            ("AML.T0025", "AML.T0035", "AML.T0036"),
            ml_lens=("MLSEC03-BP02", "MLSEC06-BP02"),
        ),
        Threat(
            "denial-of-wallet",
            "Denial of wallet or service",
            ("AML.T0034", "AML.T0029"),
            ml_lens=("MLSEC06-BP01",),
        ),
        Threat("api-abuse", "API abuse", ("AML.T0040", "AML.T0049"), ml_lens=("MLSEC06-BP01",)),
        Threat(
            "prompt-injection",
            "Prompt injection",
            ("AML.T0051", "AML.T0054", "AML.T0070"),
            ml_lens=("MLSEC05-BP01",),
        ),
        Threat(
            "model-tampering",
            "Model tampering and skew",
            ("AML.T0018", "AML.T0031"),
            ("ML08", "ML09", "ML10"),
            ("MLSEC03-BP04",),
        ),
    )
}
