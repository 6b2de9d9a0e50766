"""The controls: stable ids, what each demands, the threats it answers and what counts as evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Evidence(StrEnum):
    """What shows that a control holds."""

    TEMPLATE = "template"
    RULE = "rule"
    DECISION = "decision"
    PROOF = "proof"
    TEST = "test"
    REPORT = "report"
    DOCS = "docs"


@dataclass(frozen=True)
class Control:
    """One demand on the environment.

    Attributes:
        id: Its stable id; the letter names the area.
        title: The demand in one line.
        threats: Ids of the threats it answers.
        seen_as: What shows that it holds.
    """

    id: str
    title: str
    threats: tuple[str, ...]
    seen_as: tuple[Evidence, ...]

    @property
    def area(self) -> str:
        """The area's name."""
        return AREAS[self.id[0]]


AREAS = {
    "N": "Network",
    "E": "Encryption",
    "D": "Data",
    "I": "Identity",
    "S": "Workspace",
    "T": "Training",
    "G": "Serving",
    "M": "Model monitoring",
    "A": "Audit",
    "X": "Detection and response",
    "P": "Protected compute and foundation models",
    "C": "Compliance and governance",
    "R": "Enforcement",
}

_THREATS = {
    "poison": "data-poisoning",
    "theft": "model-theft",
    "inversion": "model-inversion",
    "membership": "membership-inference",
    "adversarial": "adversarial-input",
    "supply": "supply-chain",
    "hijack": "resource-hijack",
    "insider": "insider-exfiltration",
    "wallet": "denial-of-wallet",
    "api": "api-abuse",
    "prompt": "prompt-injection",
    "tamper": "model-tampering",
}

# id | title | threats | seen as
_TABLE = """
N1 | Isolated subnets with no way out unless asked for by name | insider theft | proof
N2 | Private endpoints for every service that the environment calls | insider | template
N3 | Endpoint policies hold the data perimeter | insider theft | decision rule
N4 | Security groups by reference, on the ports that are needed | insider theft | rule test
N5 | Network ACLs on the ML subnets | insider | template
N6 | Encrypted flow logs with retention | insider hijack | template rule
N7 | Egress only through a firewall with a list of domains | insider supply | proof
N8 | A private package repository, reachable without internet | supply | template decision
N9 | Networks that exist already are checked before they are used | insider | test
N10 | Links to other networks are named and limited to named ranges | insider | proof
E1 | A customer key per class of data, administrators apart from users | insider theft | decision rule
E2 | TLS 1.2 or newer on every bucket, topic, queue, API and domain | insider api | rule decision
E3 | Everything that stores data does so under a customer key | insider theft | rule
E4 | Traffic between the containers of a job is encrypted | insider theft | rule
E5 | Nothing sensitive in tags, names, parameters, environment variables or URLs | insider supply | rule
D1 | Uploads only under the bucket's own key | insider poison | decision rule
D2 | No public access and no ACLs | insider theft | rule
D3 | Data is reached from the environment's endpoints only | insider theft | decision rule
D4 | Versions are kept, and destroyed by named roles only | poison tamper | decision rule
D5 | Access to data is logged, and the logs can't be deleted | insider | template rule
D6 | Zones, with read and write granted one by one | insider poison | decision
D7 | Object Lock for what must not change | tamper poison | rule
D8 | Sensitive data is found and held back | inversion membership | template test
D9 | Catalogue and lineage of data, jobs and models | poison tamper | template
D10 | Data is checked, and personal data masked, before training | poison inversion membership | template
D11 | Retention and erasure per zone | inversion membership | decision docs
I1 | A role per persona, none with more than it needs | insider hijack theft | decision rule
I2 | Jobs and resources are created under conditions only | hijack insider theft | decision rule
I3 | Permission boundaries, and trust that no confused deputy can use | insider hijack | rule decision
I4 | External and unused access is found | insider | template
I5 | People sign in by IAM Identity Center or IAM | insider | template
I6 | Destructive acts are for named roles with MFA | insider tamper | decision docs
I7 | No IAM users, long-lived keys or API keys of Bedrock | insider hijack | rule
I8 | Secrets under a customer key, rotated, readable from inside only | insider supply | decision rule
I9 | Each person's acts can be told apart in the trail | insider | template decision
I10 | Guardrails of the organization, ready to attach | insider hijack | decision
I11 | Deployment itself holds the least power it can | supply insider | template docs
S1 | Studio in the VPC only, signed in from expected networks only | insider theft | rule decision
S2 | Teams are kept apart | insider | decision rule
S3 | Workspaces shut down when idle, share nothing and run approved types only | wallet hijack insider | rule
S4 | Notebook instances without internet and root | insider hijack | rule
S5 | Workspaces delete cleanly, and no work is lost | wallet | template docs
T1 | Every step of training is isolated, in the VPC and encrypted | theft insider poison | rule
T2 | Images are immutable, scanned, signed and pulled by our account only | supply tamper | rule
T3 | Unusual jobs raise an alarm | hijack wallet | template test
T4 | Models are registered, approved and can be rolled back | tamper supply | template rule
T5 | Experiment tracking is private | insider | rule
T6 | Artifacts are verified before they are deployed | tamper supply | test rule
T7 | Robustness and privacy are measured before registration | adversarial membership inversion | test
G1 | Models and endpoints are isolated, in the VPC and encrypted | theft insider | rule
G2 | No API without authentication | api theft | rule
G3 | Rate, burst and quota per client | wallet theft inversion membership | template rule
G4 | A web application firewall in front | api adversarial wallet | rule
G5 | Requests are validated before they reach the model | adversarial api | template test rule
G6 | Access is logged, bodies are not | api insider | rule
G7 | Private or regional, by choice; internal headers stay out | api theft | decision rule
G8 | Scaling within bounds, deployments that roll back | wallet tamper | template rule
G9 | Adversarial input is detected | adversarial | template
G10 | Low confidence and unusual predictions alarm | adversarial theft | template
G11 | Tenants reach their own model only | api insider | decision test
G12 | Spending is capped and watched | wallet hijack | template
G13 | Payloads that only an attested host can read | insider | test
G14 | Batch and asynchronous inference under the same controls | theft insider | rule
M1 | Monitoring jobs are isolated, in the VPC and encrypted | poison tamper | rule
M2 | Violations alarm, and can start retraining | tamper poison | template
M3 | Latency, errors, saturation and drift are watched | wallet tamper | template
A1 | One complete, encrypted, validated trail | insider theft | rule
A2 | An archive that nobody in the environment can empty | insider tamper | decision rule
A3 | Saved queries for who uploaded, trained, deployed and invoked | insider | template
A4 | A scheduled audit, delivered as a report | insider | test
A5 | Anomalies in the logs are found | insider api | template
X1 | GuardDuty with the protections that fit | hijack insider | template rule
X2 | Security Hub with its standards and insights for ML | insider | template
X3 | Detective and Inspector | supply insider | template
X4 | AWS Config rules for what Config records | insider tamper | template
X5 | Findings reach a person, and a role or job can be quarantined | hijack insider | test rule
X6 | The alert path is drilled | hijack | test
X7 | Findings and logs can leave for a SIEM | insider | template
X8 | Backups in a locked vault | tamper | template docs
P1 | Keys that only an attested enclave can use | insider theft | decision
P2 | Foundation models by private link, guarded and logged | prompt insider wallet | template decision rule
C1 | Every control mapped to frameworks and threats | insider | report
C2 | A coverage report worth looking at | insider | report
C3 | What stays with the customer is written down | insider | docs
C4 | Data stays in named regions | insider | decision
C5 | A record of processing activities | insider | report
R1 | An unsafe app does not synthesize | insider supply tamper | test
R2 | The same rules hold at deployment and at run time | insider tamper | template
R3 | Exceptions are written down, owned and end | insider | report
R4 | The rules judge any template | insider supply | test
R5 | Plain constructs get safe defaults | insider | test
R6 | Each account-wide setting is made once | insider | template test
"""


def _read() -> dict[str, Control]:
    controls = {}
    for line in _TABLE.strip().splitlines():
        id, title, threats, seen_as = (part.strip() for part in line.split("|"))
        controls[id] = Control(
            id,
            title,
            tuple(_THREATS[threat] for threat in threats.split()),
            tuple(Evidence(kind) for kind in seen_as.split()),
        )
    return controls


CONTROLS = _read()
