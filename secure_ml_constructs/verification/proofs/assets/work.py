"""SageMaker work that runs outside the guardrails: without isolation, outside our network, under no key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, Values, exactly
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed

_WITHIN = frozenset({Adversary.INSIDER, Adversary.STOLEN, Adversary.JOB})
_GUARDRAIL = "SageMaker work without isolation, customer key and the environment's subnets"
_ANY_KEY = "arn:*:kms:*:*:key/?*"
# The reference has two names for each, and does not say which one SageMaker sends: it holds under either.
_KEY_NAMES = {
    "key": ("sagemaker:VolumeKmsKey", "sagemaker:VolumeKmsKeyArn"),
    "output": ("sagemaker:OutputKmsKey", "sagemaker:OutputKmsKeyArn"),
}
_TYPES = "sagemaker:InstanceTypes"
_WITHOUT_DISKS = Values(exactly=("ml.m5.xlarge",), absent=False)
_JOB = ("isolation", "network", "key", "output", "traffic")


def _off(key: str, value: str) -> list[Mapping[str, Values]]:
    return [{key: exactly(value)}, {key: ABSENT}]


# Service Authorization Reference, "Actions, resources, and condition keys for Amazon SageMaker".
ACTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sagemaker:CreateTrainingJob": ("training-job", _JOB),
    "sagemaker:CreateProcessingJob": ("processing-job", _JOB),
    "sagemaker:CreateHyperParameterTuningJob": ("hyper-parameter-tuning-job", _JOB),
    "sagemaker:CreateAutoMLJobV2": ("automl-job", ("network", "key", "output", "traffic")),
    "sagemaker:CreateTransformJob": ("transform-job", ("key", "output")),
    "sagemaker:CreateModel": ("model", ("isolation", "network")),
    "sagemaker:CreateEndpointConfig": ("endpoint-config", ("key",)),
    "sagemaker:CreateNotebookInstance": ("notebook-instance", ("network", "key", "internet", "root")),
    "sagemaker:CreateDomain": ("domain", ("network", "key", "domain internet")),
}
_NAMES = {
    "isolation": ("run without isolation", "T1"),
    "network": ("run outside our subnets", "I2"),
    "key": ("run without our key", "E3"),
    "output": ("write without our key", "E3"),
    "traffic": ("send plain between containers", "E4"),
    "internet": ("give notebooks the internet", "S4"),
    "domain internet": ("give Studio the internet", "S1"),
    "root": ("run as root", "S4"),
}


def work_assets(registry: Registry) -> Iterator[Asset]:
    """The work that an account can start, once for each account and region of the estate."""
    estate = registry.estate
    places: dict[tuple[str, str, str], None] = {}
    for type_ in ("AWS::IAM::Role", "AWS::EC2::VPC", "AWS::SageMaker::Domain"):
        for resource in estate.resources(type_):
            place = estate.place(resource)
            places[place.account, place.region, place.partition] = None
    many = len(places) > 1
    for account, region, partition in sorted(places):
        keys = keys_of(registry, account, region)
        deeds: dict[tuple[str, str], list[tuple[Act, ...]]] = {}
        for action, (kind, slips) in ACTIONS.items():
            arn = f"arn:{partition}:sagemaker:{region}:{account}:{kind}/*"
            for slip in slips:
                for wrong in _wrong(slip, keys):
                    act = Act(action, arn, context=wrong, service="sagemaker.api")
                    deeds.setdefault(_NAMES[slip], []).append((act,))
        yield Asset(
            f"SageMaker work in {account}/{region}" if many else "SageMaker work",
            "work",
            tuple(
                Deed(name, tuple(ways), control, _WITHIN, guardrail=_GUARDRAIL, by_design=False)
                for (name, control), ways in deeds.items()
            ),
            account=account,
        )


def _wrong(slip: str, keys: tuple[str, ...]) -> Iterator[Mapping[str, Values]]:
    match slip:
        case "isolation":
            yield from _off("sagemaker:NetworkIsolation", "false")
        case "traffic":
            yield from _off("sagemaker:InterContainerTrafficEncryption", "false")
        case "internet":
            yield from _off("sagemaker:DirectInternetAccess", "Enabled")
        case "domain internet":
            yield from _off("sagemaker:AppNetworkAccessType", "PublicInternetOnly")
        case "root":
            yield from _off("sagemaker:RootAccess", "Enabled")
        case "network":
            yield {"sagemaker:VpcSubnets": ABSENT}
            yield {"sagemaker:VpcSubnets": exactly("subnet-of-somebody-else")}
        case "key" | "output":
            names = _KEY_NAMES[slip]
            # What has disks of its own takes no key; which types those are, the guardrails know as well.
            types = {_TYPES: _WITHOUT_DISKS} if slip == "key" else {}
            yield {**dict.fromkeys(names, ABSENT), **types}
            for name in names:
                other = Values(like=(_ANY_KEY,), unlike=keys, absent=False)
                yield {**dict.fromkeys(names, ABSENT), name: other}


def keys_of(registry: Registry, account: str, region: str) -> tuple[str, ...]:
    """The keys that the templates have in one place."""
    estate = registry.estate
    return tuple(
        arn
        for key in estate.resources("AWS::KMS::Key")
        if (place := estate.place(key)).account == account
        and place.region == region
        and isinstance(arn := estate.arn(key), str)
    )
