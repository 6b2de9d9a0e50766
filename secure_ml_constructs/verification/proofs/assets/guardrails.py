"""What guardrails hold of SageMaker, whatever those who start work in it are granted or will be.

Work that a role is granted is asked about elsewhere (`work.py`). Here a role has every permission, so that
each denial has to hold by itself: for every action that can carry the setting, and for those that no
setting can hold at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.assets.sagemaker_actions import (
    CONTAINERS,
    GROUPS,
    JOBS,
    LOCAL,
    NOT_TO_BE_HELD,
    OF_OTHERS,
    ON_MACHINES,
    PAST_EVERY_CONTROL,
    SCHEDULES,
    SETTLED,
    WORKSPACES,
    create,
)
from secure_ml_constructs.verification.proofs.assets.work import ACTIONS, keys_of
from secure_ml_constructs.verification.proofs.estate import Role
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, Values, exactly, like
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.credentials import is_kept, may_grant
from secure_ml_constructs.verification.proofs.questions.deeds import Act, Asset, Deed, Who, one
from secure_ml_constructs.verification.proofs.questions.trust import Trust

_JOB = frozenset({Adversary.JOB})
_STOLEN = frozenset({Adversary.STOLEN})
_TYPES = "sagemaker:InstanceTypes"
_NAMED: Mapping[str, Values] = {_TYPES: exactly("ml.m5.xlarge")}
_WITHOUT_DISKS = Values(exactly=("ml.m5.xlarge",), absent=False)
_ANY_KEY = "arn:*:kms:*:*:key/?*"


def _wrong(
    *values: Mapping[str, Values], actions: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Values]]]:
    return ((action, context) for context in values for action in actions)


def _said(key: str, value: str) -> Mapping[str, Values]:
    return {f"sagemaker:{key}": exactly(value)}


def _unsaid(*keys: str) -> Mapping[str, Values]:
    return {f"sagemaker:{key}": ABSENT for key in keys}


Slips = Iterable[tuple[str, Mapping[str, Values]]]


def _slips(keys: Sequence[str]) -> Iterator[tuple[str, str, Slips]]:
    """What a request must not say or leave out, by deed with its control."""
    network = (
        _said("VpcSubnets", "subnet-of-somebody-else"),
        _said("VpcSecurityGroupIds", "sg-of-somebody-else"),
    )
    yield (
        "run outside our subnets",
        "I2",
        (
            *_wrong(_unsaid("VpcSubnets"), actions=SETTLED),
            *_wrong({**_unsaid("VpcSubnets"), **_NAMED}, actions=SCHEDULES),
            *_wrong(network[0], actions=(*SETTLED, *SCHEDULES, "UpdateCluster", "UpdateDomain")),
        ),
    )
    yield (
        "run in other groups",
        "I2",
        (
            *_wrong(_unsaid("VpcSecurityGroupIds"), actions=create("Domain", "NotebookInstance")),
            *_wrong(network[1], actions=GROUPS),
        ),
    )
    off = _said("NetworkIsolation", "false")
    yield (
        "run without isolation",
        "T1",
        (
            *_wrong(off, _unsaid("NetworkIsolation"), actions=create(*CONTAINERS, "Model")),
            *_wrong({**off, **_NAMED}, {**_unsaid("NetworkIsolation"), **_NAMED}, actions=SCHEDULES),
        ),
    )
    plain = _said("InterContainerTrafficEncryption", "false")
    unsaid = _unsaid("InterContainerTrafficEncryption")
    yield (
        "send plain between containers",
        "E4",
        (
            *_wrong(plain, unsaid, actions=create(*CONTAINERS, "AutoMLJob", "AutoMLJobV2")),
            *_wrong({**plain, **_NAMED}, {**unsaid, **_NAMED}, actions=SCHEDULES),
        ),
    )
    yield (
        "run without our key",
        "E3",
        (
            *_wrong(
                _unsaid(*_names("VolumeKmsKey")),
                actions=create("AutoMLJob", "AutoMLJobV2", "Domain", "NotebookInstance"),
            ),
            *_wrong({**_unsaid(*_names("VolumeKmsKey")), _TYPES: _WITHOUT_DISKS}, actions=LOCAL),
            *_wrong(*_other("VolumeKmsKey", keys), actions=("CreateTrainingJob", "CreateLabelingJob")),
        ),
    )
    yield (
        "write without our key",
        "E3",
        (
            *_wrong(
                _unsaid(*_names("OutputKmsKey")),
                actions=create(*CONTAINERS, "AutoMLJob", "AutoMLJobV2", "Job", "LabelingJob", "TransformJob"),
            ),
            *_wrong({**_unsaid(*_names("OutputKmsKey")), **_NAMED}, actions=SCHEDULES),
            *_wrong(*_other("OutputKmsKey", keys), actions=("CreateTrainingJob", "CreateLabelingJob")),
        ),
    )
    for store, due in (
        ("Online", _said("FeatureGroupEnableOnlineStore", "true")),
        ("Offline", _said("FeatureGroupOfflineStoreConfig", "{}")),
    ):
        named = f"FeatureGroup{store}StoreKmsKey"
        wrong = (_unsaid(*_names(named)), *_other(named, keys))
        yield (
            f"store features without our key {store.lower()}",
            "E3",
            _wrong(*({**each, **due} for each in wrong), actions=create("FeatureGroup")),
        )
    yield (
        "run on other machines",
        "S3",
        (
            *_wrong(_unsaid("InstanceTypes"), actions=ON_MACHINES),
            *_wrong({_TYPES: exactly("ml.unheard-of.large")}, actions=(*ON_MACHINES, *WORKSPACES)),
        ),
    )
    notebooks = create("NotebookInstance")
    of_notebooks = (*notebooks, "UpdateNotebookInstance")
    yield (
        "give notebooks the internet",
        "S4",
        _wrong(_said("DirectInternetAccess", "Enabled"), _unsaid("DirectInternetAccess"), actions=notebooks),
    )
    yield (
        "run as root",
        "S4",
        (
            *_wrong(_unsaid("RootAccess"), actions=notebooks),
            *_wrong(_said("RootAccess", "Enabled"), actions=of_notebooks),
        ),
    )
    old = "MinimumInstanceMetadataServiceVersion"
    yield (
        "hand out metadata plainly",
        "S4",
        (*_wrong(_unsaid(old), actions=notebooks), *_wrong(_said(old, "1"), actions=of_notebooks)),
    )
    public = _said("AppNetworkAccessType", "PublicInternetOnly")
    yield (
        "give Studio the internet",
        "S1",
        (
            *_wrong(_unsaid("AppNetworkAccessType"), actions=create("Domain")),
            *_wrong(public, actions=("CreateDomain", "UpdateDomain")),
        ),
    )
    # The longest that SageMaker runs anything, in seconds. (Amazon SageMaker AI endpoints and quotas)
    yield "run for weeks", "G12", _wrong(_said("MaxRuntimeInSeconds", "2419200"), actions=create(*CONTAINERS))
    yield (
        "mount other file systems",
        "D3",
        _wrong(_said("FileSystemId", "fs-of-somebody-else"), actions=create(*JOBS)),
    )
    yield (
        "debug from outside",
        "T1",
        _wrong(_said("EnableRemoteDebug", "true"), actions=("CreateTrainingJob", "UpdateTrainingJob")),
    )
    yield (
        "connect from outside",
        "S1",
        _wrong(_said("RemoteAccess", "ENABLED"), actions=("CreateSpace", "UpdateSpace")),
    )
    yield (
        "serve outside any network",
        "G1",
        _wrong({"sagemaker:ServerlessMemorySize": like("*")}, actions=create("EndpointConfig")),
    )
    yield (
        "bring containers past the model",
        "G1",
        _wrong(_unsaid("ModelArn"), actions=create("InferenceComponent")),
    )
    yield "take work past every control", "I2", _wrong({}, actions=PAST_EVERY_CONTROL)
    yield "start what no setting holds", "I2", _wrong({}, actions=NOT_TO_BE_HELD)
    yield "change what others work with", "I2", _wrong({}, actions=OF_OTHERS)


def _names(key: str) -> tuple[str, ...]:
    # The reference has two names for each, and does not say which one SageMaker sends.
    return key, f"{key}Arn"


def _other(key: str, keys: Sequence[str]) -> Iterator[Mapping[str, Values]]:
    for name in _names(key):
        other = Values(like=(_ANY_KEY,), unlike=tuple(keys), absent=False)
        yield {**_unsaid(*_names(key)), f"sagemaker:{name}": other}


def guardrail_assets(registry: Registry, trust: Trust) -> Iterator[Asset]:
    """What holds those who start work, once for each account and region of the estate."""
    by_place: dict[tuple[str, str, str], list[Role]] = {}
    for role in registry.estate.roles:
        place = registry.estate.place(role.resource)
        if _starts_work(role) and not (is_kept(role) or trust.trusts(role, place)):
            by_place.setdefault((place.account, place.region, place.partition), []).append(role)
    for (account, region, partition), roles in sorted(by_place.items()):
        head = f"arn:{partition}:sagemaker:{region}:{account}"
        keys = keys_of(registry, account, region)
        whole = Act("", "", service="sagemaker.api", roles=_arns(roles))
        deeds = [
            _deed(name, control, [_asking(whole, head, *slip) for slip in slips])
            for name, control, slips in _slips(keys)
        ]
        others = [
            each for each in roles if not may_grant(each.documents, "sagemaker:UpdateModelPackage", "*")
        ]
        if others:
            approved = _said("ModelApprovalStatus", "Approved")
            acts = (
                replace(_asking(whole, head, action, approved), roles=_arns(others))
                for action in ("CreateModelPackage", "UpdateModelPackage")
            )
            deeds.append(_deed("approve a model", "T4", acts))
        start = [_asking(whole, head, action.partition(":")[2], {}) for action in ACTIONS]
        deeds.append(Deed("start work from elsewhere", one(*start), "I1", _STOLEN, who=Who.GUARDED))
        name = (
            f"SageMaker by guardrails in {account}/{region}"
            if len(by_place) > 1
            else "SageMaker by guardrails"
        )
        yield Asset(name, "guardrails", tuple(deeds), account=account)


def _deed(name: str, control: str, acts: Iterable[Act]) -> Deed:
    return Deed(name, one(*acts), control, _JOB, who=Who.GUARDED)


def _asking(whole: Act, head: str, action: str, context: Mapping[str, Values]) -> Act:
    return replace(whole, action=f"sagemaker:{action}", resource=f"{head}:{_kind(action)}/*", context=context)


def _arns(roles: Iterable[Role]) -> frozenset[str]:
    return frozenset(str(each.arn) for each in roles)


def _starts_work(role: Role) -> bool:
    return any(
        may_grant((document,), action, "*")
        for document in role.documents
        if document.grants
        for action in ACTIONS
    )


def _kind(action: str) -> str:
    """The type of resource that an action is about: `training-job` of CreateTrainingJob."""
    words = re.findall(r"AutoML|[A-Z][a-z0-9]+|[A-Z]+(?![a-z])", action.removesuffix("V2"))
    return "-".join(words[1:]).lower() or "anything"
