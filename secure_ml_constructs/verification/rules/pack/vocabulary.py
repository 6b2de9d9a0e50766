"""Words that the entries of the pack share, and the entries that many types have in common."""

from __future__ import annotations

from secure_ml_constructs.verification.rules.artifacts import ApprovedBucket, ApprovedHost, PinnedImage
from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups
from secure_ml_constructs.verification.rules.predicates import Allowed, Equals, Present
from secure_ml_constructs.verification.rules.requirements import At, Every, Inside
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule, Severity
from secure_ml_constructs.verification.rules.secrets import NoSecrets

POISONING = "data-poisoning"
THEFT = "model-theft"
INVERSION = "model-inversion"
MEMBERSHIP = "membership-inference"
ADVERSARIAL = "adversarial-input"
SUPPLY_CHAIN = "supply-chain"
HIJACK = "resource-hijack"
INSIDER = "insider-exfiltration"
WALLET = "denial-of-wallet"
API_ABUSE = "api-abuse"
INJECTION = "prompt-injection"
TAMPERING = "model-tampering"

TRUE = Equals(True)
PRESENT = Present()
KEY = CustomerKey()


def customer_key(
    id: str,
    resource_type: str,
    path: str,
    of: str,
    *,
    severity: Severity = ERROR,
    control: str = "E3",
    standards: tuple[str, ...] = (),
    within: str = "",
) -> Rule:
    """Something is encrypted under a customer key; `of` says what, as the subject of a sentence.

    With `within`, the key is asked for only where that part of the resource is there.
    """
    inner = path.removeprefix(f"{within}.")
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=Inside(within, inner, KEY) if within else At(path, KEY),
        severity=severity,
        control=control,
        threats=(INSIDER, THEFT),
        title=f"{of} under a customer key",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix=f"Set {path} to the ARN of a customer key.",
        standards=standards,
    )


def isolation(
    id: str,
    resource_type: str,
    path: str,
    what: str,
    *,
    severity: Severity = ERROR,
    control: str = "T1",
    standards: tuple[str, ...] = (),
) -> Rule:
    """Containers can make no network call of their own."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, TRUE),
        severity=severity,
        control=control,
        threats=(INSIDER, THEFT, SUPPLY_CHAIN),
        title=f"{what} runs in network isolation",
        why="A poisoned package or model in the container could send out the data and model that it holds.",
        fix=f"Set {path} to true.",
        standards=standards,
    )


def traffic_encryption(
    id: str,
    resource_type: str,
    path: str,
    what: str,
    *,
    severity: Severity = WARNING,
    standards: tuple[str, ...] = (),
) -> Rule:
    """What the containers of a job send one another is encrypted."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, TRUE),
        severity=severity,
        control="E4",
        threats=(INSIDER, THEFT),
        title=f"{what} encrypts the traffic between its containers",
        why="Data and gradients cross the network in the clear between the instances of one job.",
        fix=f"Set {path} to true.",
        standards=standards,
    )


def in_vpc(
    id: str,
    resource_type: str,
    path: str,
    what: str,
    *,
    severity: Severity = ERROR,
    control: str = "T1",
) -> Rule:
    """Network interfaces lie in isolated subnets, behind security groups of ours."""
    requirement = Every(
        At(f"{path}.Subnets", IsolatedSubnets()),
        At(f"{path}.SecurityGroupIds", OurGroups()),
    )
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=requirement,
        severity=severity,
        control=control,
        threats=(INSIDER, THEFT),
        title=f"{what} runs in isolated subnets of the VPC",
        why="Outside the VPC nothing of the environment's network holds: no endpoint policy, no flow log.",
        fix=f"Set {path} to isolated subnets and security groups of the environment.",
    )


def pinned_image(id: str, resource_type: str, path: str, what: str, *, severity: Severity = ERROR) -> Rule:
    """The image is the one that was scanned."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, PinnedImage()),
        severity=severity,
        control="T2",
        threats=(SUPPLY_CHAIN, TAMPERING),
        title=f"{what} is in our registry and named by its digest",
        why="Whoever can push to the repository, or owns it, can put another image under the same tag.",
        fix=f"Write {path} as <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>.",
    )


def no_secrets(id: str, resource_type: str, path: str, what: str, *, severity: Severity = ERROR) -> Rule:
    """Environment variables hold no secret."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, NoSecrets()),
        severity=severity,
        control="E5",
        threats=(INSIDER, SUPPLY_CHAIN),
        title=f"{what} holds no secret in its environment variables",
        why="Variables are readable in the template, in the console and by every Describe permission.",
        fix="Keep the secret in Secrets Manager and let the container read it with its role.",
    )


def approved_bucket(
    id: str,
    resource_type: str,
    path: str,
    what: str,
    *,
    severity: Severity = WARNING,
    control: str = "D6",
    threats: tuple[str, ...] = (INSIDER, POISONING),
) -> Rule:
    """Data lies in a bucket of the environment."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, ApprovedBucket()),
        severity=severity,
        control=control,
        threats=threats,
        title=f"{what} lies in a bucket of the environment",
        why="A bucket of someone else can be read, or filled, by someone else.",
        fix=f"Let {path} name a bucket of the templates, or list the bucket in the setting buckets.",
    )


def approved_host(id: str, resource_type: str, path: str, what: str) -> Rule:
    """Code comes from a host that is trusted."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, ApprovedHost()),
        severity=WARNING,
        control="S4",
        threats=(SUPPLY_CHAIN,),
        title=f"{what} comes from an approved host",
        why="Code from an unknown host runs with the role of whoever opens it.",
        fix=f"Let {path} be an https address on a host of the setting repository_hosts, without a password.",
    )


def instance_type(id: str, resource_type: str, path: str) -> Rule:
    """Only allowed instance types."""
    return Rule(
        id=id,
        resource_type=resource_type,
        requirement=At(path, Allowed("instance_types", "instance type")),
        severity=WARNING,
        control="S3",
        threats=(HIJACK, WALLET),
        title="Instances are of an allowed type",
        why="The largest accelerators are what miners look for, and cost the most.",
        fix=f"Choose an allowed type for {path}, or add it to the setting instance_types.",
    )
