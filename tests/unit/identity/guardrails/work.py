"""The people, what legitimate work asks for, and how both engines decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from secure_ml_constructs.identity.guardrails import SageMakerGuardrails
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.verification.proofs.iam import Decision, Kind, Policies, decide, parse
from secure_ml_constructs.verification.proofs.iam import Request as OurRequest
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World

IAM = f"arn:aws:iam::{ACCOUNT}:role"
SCIENTIST = f"{IAM}/secure-ml/scientist"
PIPELINE = f"{IAM}/secure-ml/pipeline"
APPROVER = f"{IAM}/secure-ml/approver"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
BREAK_GLASS = f"{IAM}/ml-break-glass"
OURS = "${AWS::Partition}:iam::${AWS::AccountId}:role"
PERIMETER = DataPerimeter(
    organization="o-a1b2c3d4e5",
    administrators=(f"arn:{OURS}/ml-administrator",),
    break_glass_roles=(f"arn:{OURS}/ml-break-glass",),
)

SUBNETS = ("subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712")
GROUPS = ("sg-0a1b2c3d4e5f60711",)
KEY, SECOND_KEY, FOREIGN_KEY = (
    f"arn:aws:kms:{REGION}:{account}:key/0a1b2c3d-0000-0000-0000-00000000000{number}"
    for account, number in ((ACCOUNT, 1), (ACCOUNT, 2), ("999988887777", 3))
)
OTHER_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/ffffffff-0000-0000-0000-000000000000"
GUARDRAILS = SageMakerGuardrails(
    perimeter=PERIMETER,
    subnets=SUBNETS,
    security_groups=GROUPS,
    keys=(KEY, SECOND_KEY),
    pipeline_roles=(PIPELINE,),
    approving_roles=(APPROVER,),
)
WORLD = World({"Stack": {"Resources": {}}})

Context = Mapping[str, Any]
_KMS = ("VolumeKmsKey", "OutputKmsKey", "FeatureGroupOnlineStoreKmsKey", "FeatureGroupOfflineStoreKmsKey")


def resolved(documents: Sequence[Any]) -> list[Any]:
    """Documents as they are in one account."""
    return [WORLD.resolve("Stack", each) for each in documents]


DOCUMENTS = resolved(GUARDRAILS.documents())

# What legitimate requests say; keys of KMS by their first name.
_NETWORK: Context = {"VpcSubnets": list(SUBNETS), "VpcSecurityGroupIds": list(GROUPS)}
_KEYS: Context = {"VolumeKmsKey": KEY, "OutputKmsKey": SECOND_KEY}
_JOB: Context = {
    **_NETWORK,
    **_KEYS,
    "NetworkIsolation": "true",
    "InterContainerTrafficEncryption": "true",
    "InstanceTypes": ["ml.m5.xlarge"],
    "MaxRuntimeInSeconds": "3600",
}
_NOTEBOOK: Context = {
    **_NETWORK,
    "VolumeKmsKey": KEY,
    "InstanceTypes": ["ml.t3.medium"],
    "DirectInternetAccess": "Disabled",
    "RootAccess": "Disabled",
    "MinimumInstanceMetadataServiceVersion": "2",
}
_DOMAIN: Context = {**_NETWORK, "VolumeKmsKey": KEY, "AppNetworkAccessType": "VpcOnly"}
LEGITIMATE: Mapping[str, tuple[str, Context]] = {
    "CreateTrainingJob": ("training-job", {**_JOB, "EnableRemoteDebug": "false"}),
    "CreateHyperParameterTuningJob": ("hyper-parameter-tuning-job", _JOB),
    "CreateProcessingJob": ("processing-job", _JOB),
    "CreateDataQualityJobDefinition": ("data-quality-job-definition", _JOB),
    "CreateModelBiasJobDefinition": ("model-bias-job-definition", _JOB),
    "CreateModelExplainabilityJobDefinition": ("model-explainability-job-definition", _JOB),
    "CreateModelQualityJobDefinition": ("model-quality-job-definition", _JOB),
    "CreateMonitoringSchedule": ("monitoring-schedule", _JOB),
    "UpdateMonitoringSchedule": ("monitoring-schedule", _JOB),
    "CreateAutoMLJob": ("automl-job", {**_NETWORK, **_KEYS, "InterContainerTrafficEncryption": "true"}),
    "CreateAutoMLJobV2": ("automl-job", {**_NETWORK, **_KEYS, "InterContainerTrafficEncryption": "true"}),
    "CreateTransformJob": ("transform-job", {**_KEYS, "InstanceTypes": ["ml.m5.xlarge"]}),
    "CreateModel": ("model", {**_NETWORK, "NetworkIsolation": "true"}),
    "CreateEndpointConfig": ("endpoint-config", {"VolumeKmsKey": KEY, "InstanceTypes": ["ml.m5.large"]}),
    "CreateNotebookInstance": ("notebook-instance", _NOTEBOOK),
    "UpdateNotebookInstance": ("notebook-instance", {"InstanceTypes": ["ml.t3.large"]}),
    "CreateApp": ("app", {"InstanceTypes": ["ml.t3.medium"]}),
    "CreateSpace": ("space", {"InstanceTypes": ["ml.t3.medium"]}),
    "UpdateSpace": ("space", {"RemoteAccess": "DISABLED"}),
    "UpdateTrainingJob": ("training-job", {"EnableRemoteDebug": "false"}),
    "CreateFeatureGroup": (
        "feature-group",
        {
            "FeatureGroupEnableOnlineStore": "true",
            "FeatureGroupOnlineStoreKmsKey": KEY,
            "FeatureGroupOfflineStoreConfig": "true",
            "FeatureGroupOfflineStoreKmsKey": KEY,
        },
    ),
    "CreateInferenceComponent": (
        "inference-component",
        {"ModelArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/fraud"},
    ),
    "CreateModelPackage": ("model-package", {"ModelApprovalStatus": "PendingManualApproval"}),
    "UpdateModelPackage": ("model-package", {"ModelApprovalStatus": "Rejected"}),
}
# What only deploying roles do, by a request that is in order.
DEPLOYED: Mapping[str, tuple[str, Context]] = {
    "CreateDomain": ("domain", _DOMAIN),
    "UpdateDomain": ("domain", {**_NETWORK, "AppNetworkAccessType": "VpcOnly"}),
    "CreateUserProfile": ("user-profile", {"VpcSecurityGroupIds": list(GROUPS)}),
    "UpdateUserProfile": ("user-profile", {"InstanceTypes": ["ml.t3.medium"]}),
    "CreateCluster": ("cluster", {**_NETWORK, "InstanceTypes": ["ml.g5.xlarge"]}),
    "UpdateCluster": ("cluster", {"InstanceTypes": ["ml.g5.xlarge"]}),
}
# For each setting, values that pass as well.
FINE: Mapping[str, Sequence[Any]] = {
    "VpcSubnets": ([SUBNETS[0]], [SUBNETS[1]]),
    "NetworkIsolation": ("true",),
    "VolumeKmsKey": (SECOND_KEY,),
    "OutputKmsKey": (KEY,),
    "FeatureGroupOnlineStoreKmsKey": (SECOND_KEY,),
    "FeatureGroupOfflineStoreKmsKey": (SECOND_KEY,),
    "InstanceTypes": (
        *(["ml.t3.medium"], ["ml.t3.2xlarge"], ["ml.m5.4xlarge"], ["ml.c5.2xlarge"], ["ml.g4dn.xlarge"]),
        ["ml.m5.large", "ml.g5.xlarge"],
    ),
    "MaxRuntimeInSeconds": ("60", "86400", None),
    "EnableRemoteDebug": (None,),
    "RemoteAccess": (None,),
    "ModelApprovalStatus": (None, "Rejected"),
}
# For each setting, values that must never pass; None takes the key out.
WEAK: Mapping[str, Sequence[Any]] = {
    "VpcSubnets": (None, ["subnet-0fffffffffffffff0"], [SUBNETS[0], "subnet-0fffffffffffffff0"]),
    "VpcSecurityGroupIds": (["sg-0fffffffffffffff0"], [GROUPS[0], "sg-0fffffffffffffff0"]),
    "NetworkIsolation": (None, "false"),
    "InterContainerTrafficEncryption": (None, "false"),
    "VolumeKmsKey": (None, OTHER_KEY, FOREIGN_KEY),
    "OutputKmsKey": (None, OTHER_KEY, FOREIGN_KEY),
    "FeatureGroupOnlineStoreKmsKey": (None, OTHER_KEY),
    "FeatureGroupOfflineStoreKmsKey": (None, OTHER_KEY),
    "InstanceTypes": (None, ["ml.p4d.24xlarge"], ["ml.m5.xlarge", "ml.p4d.24xlarge"]),
    "MaxRuntimeInSeconds": ("86401",),
    "EnableRemoteDebug": ("true",),
    "RemoteAccess": ("ENABLED",),
    "DirectInternetAccess": (None, "Enabled"),
    "RootAccess": (None, "Enabled"),
    "MinimumInstanceMetadataServiceVersion": (None, "1"),
    "AppNetworkAccessType": (None, "PublicInternetOnly"),
    "ModelArn": (None,),
    "ModelApprovalStatus": ("Approved",),
}


def arn(kind: str) -> str:
    """A SageMaker resource of ours."""
    name = f"{kind}/d-0a1b2c3d4e5f/name" if kind in ("space", "user-profile") else f"{kind}/name"
    name = f"{kind}/d-0a1b2c3d4e5f/profile/JupyterLab/name" if kind == "app" else name
    name = f"{kind}/group/1" if kind == "model-package" else name
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{name}"


def named(context: Context, *, second: bool) -> dict[str, Any]:
    """The context with its service's prefix, and the keys of KMS by their first or second name."""
    return {
        key if ":" in key else f"sagemaker:{key}{'Arn' if second and key in _KMS else ''}": value
        for key, value in context.items()
        if value is not None
    }


def allowed_by_us(
    documents: Sequence[Any], principal: str, action: str, resource: str, context: Context
) -> bool:
    """What our evaluator says."""
    policies = Policies(
        identity=(
            parse(ALLOW_ALL, Kind.IDENTITY, "everything"),
            *(parse(each, Kind.IDENTITY, f"guardrail {index}") for index, each in enumerate(documents)),
        )
    )
    answer = decide(policies, OurRequest.of(principal, action, resource, context))
    assert isinstance(answer, Decision), answer
    return answer.allowed


def allowed(
    simulator: Simulator,
    action: str,
    kind: str,
    context: Context,
    *,
    principal: str = SCIENTIST,
    documents: Sequence[Any] = DOCUMENTS,
) -> bool:
    """Whether a request is allowed: our evaluator under both names of the keys, and the simulator, agree."""
    name, resource = f"sagemaker:{action}", arn(kind)
    ours = {
        allowed_by_us(documents, principal, name, resource, named(context, second=second))
        for second in (False, True)
    }
    # The simulator's data knows the second name alone.
    request = Request(
        principal=principal, action=name, resource=resource, context=named(context, second=True)
    )
    theirs = simulator.decide(request, identity=(ALLOW_ALL, *documents)).allowed
    assert ours == {theirs}, f"{action} {context}: ours {ours}, the simulator's {theirs}"
    return theirs
