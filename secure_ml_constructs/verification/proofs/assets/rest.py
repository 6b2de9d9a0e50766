"""The rest of the account, which no template names: what roles are granted of it by a grant that is too wide.

Each role that somebody could have is asked about with what it is granted, wherever it calls from: of a team's
own jobs, logs and tables no template has any, so that only a stranger's name shows how far a grant reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from secure_ml_constructs.verification.proofs.assets.registry import Registry
from secure_ml_constructs.verification.proofs.estate import Place, Role
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind, parse
from secure_ml_constructs.verification.proofs.iam.domains import ABSENT, Values, exactly, like
from secure_ml_constructs.verification.proofs.questions.answers import Adversary
from secure_ml_constructs.verification.proofs.questions.credentials import is_kept
from secure_ml_constructs.verification.proofs.questions.deeds import ROTATED_BY, Act, Asset, Deed, Who, one
from secure_ml_constructs.verification.proofs.questions.trust import Trust

_JOB = frozenset({Adversary.JOB})
_OTHERS = "somebody-elses"
_FOR_A_SERVICE = "kms:grantisforawsresource"
Asked = Iterable[tuple[str, str, Mapping[str, Values]]]

# By deed: the control, and actions with what they are about. `{l}` is region and account, `{a}` the account,
# `{s}` that of a stranger, `{o}` the name of somebody else's. (Service Authorization Reference)
_DEEDS: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "work under others' names": (
        "S2",
        (
            ("sagemaker:CreateTrainingJob", "{l}:training-job/{o}"),
            ("sagemaker:CreateProcessingJob", "{l}:processing-job/{o}"),
            ("sagemaker:CreateModel", "{l}:model/{o}"),
            ("sagemaker:CreateEndpoint", "{l}:endpoint/{o}"),
            ("sagemaker:DeleteEndpoint", "{l}:endpoint/{o}"),
            ("sagemaker:InvokeEndpoint", "{l}:endpoint/{o}"),
            ("sagemaker:GetRecord", "{l}:feature-group/{o}"),
            ("sagemaker:StartPipelineExecution", "{l}:pipeline/{o}"),
        ),
    ),
    "approve others' models": ("T4", (("sagemaker:UpdateModelPackage", "{l}:model-package/{o}/1"),)),
    "pass others' roles": ("I3", (("iam:PassRole", ":{a}:role/{o}"),)),
    "query in others' workgroups": ("S2", (("athena:StartQueryExecution", "{l}:workgroup/{o}"),)),
    "read others' tables": (
        "D6",
        (("glue:GetTable", "{l}:table/{o}/{o}"), ("glue:GetDatabase", "{l}:database/{o}")),
    ),
    "change others' tables": ("D6", (("glue:UpdateTable", "{l}:table/{o}/{o}"),)),
    "read others' logs": ("S2", (("logs:GetLogEvents", "{l}:log-group:{o}:log-stream:{o}"),)),
    "forge others' logs": (
        "A2",
        (
            ("logs:PutLogEvents", "{l}:log-group:{o}:log-stream:{o}"),
            ("logs:CreateLogStream", "{l}:log-group:{o}"),
        ),
    ),
    # Lambda's roles are granted interfaces of any subnet, and lend none. (AWS Lambda: Giving Lambda functions
    # access to resources in an Amazon VPC)
    "lend others' interfaces": ("N1", (("ec2:CreateNetworkInterfacePermission", "{l}:network-interface/*"),)),
    "run strangers' images": ("T2", (("ecr:BatchGetImage", "{s}:repository/{o}"),)),
    "start others' workflows": (
        "S2",
        (
            ("states:StartExecution", "{l}:stateMachine:{o}"),
            ("states:StartSyncExecution", "{l}:stateMachine:{o}"),
            ("codebuild:StartBuild", "{l}:project/{o}"),
            ("codebuild:StartBuildBatch", "{l}:project/{o}"),
        ),
    ),
    "turn others' events elsewhere": (
        "S2",
        (("events:PutTargets", "{l}:rule/{o}"), ("events:PutRule", "{l}:rule/{o}")),
    ),
    "listen to others' packages": ("N8", (("codeartifact:ReadFromRepository", "{l}:repository/{o}/{o}"),)),
}


def rest_assets(registry: Registry, trust: Trust) -> Iterator[Asset]:
    """What roles reach of each account beyond its templates, once for each place."""
    by_place: dict[Place, list[Role]] = {}
    for role in registry.estate.roles:
        place = registry.estate.place(role.resource)
        if isinstance(role.arn, str) and not (is_kept(role) or trust.trusts(role, place)):
            by_place.setdefault(place, []).append(role)
    for place, roles in by_place.items():
        whole = Act("", "", roles=frozenset(str(each.arn) for each in roles))
        deeds = tuple(_deeds(place, whole, trust.stranger(place.account)))
        name = "the rest of the account"
        if len(by_place) > 1:
            name = f"the rest of {place.account}/{place.region}"
        yield Asset(name, "others", deeds, account=place.account)


def _deeds(place: Place, whole: Act, stranger: str) -> Iterator[Deed]:
    def deed(name: str, control: str, *acts: Act) -> Deed:
        return Deed(name, one(*acts), control, _JOB, who=Who.NAMED)

    local = f"{place.region}:{place.account}"
    filled = {"l": local, "a": place.account, "s": f"{place.region}:{stranger}", "o": _OTHERS}
    # Interfaces of subnets that somebody else has.
    subnet = {"ec2:subnet": exactly(f"arn:{place.partition}:ec2:{local}:subnet/subnet-{_OTHERS}")}
    for name, (control, asked) in _DEEDS.items():
        acts = []
        for action, about in asked:
            arn = f"arn:{place.partition}:{action.partition(':')[0]}:{about.format(**filled)}"
            act = replace(whole, action=action, resource=arn)
            if ":network-interface/" in about:
                act = replace(act, context=subnet)
            if about.startswith("{s}"):
                act = replace(act, policy=_OPEN, account=stranger)
            acts.append(act)
        yield deed(name, control, *acts)
    metrics = replace(whole, action="cloudwatch:PutMetricData", resource="*")
    others = {"cloudwatch:namespace": exactly(_OTHERS)}
    yield deed("forge others' metrics", "M3", replace(metrics, context=others))
    tokens = replace(whole, action="sts:GetServiceBearerToken", resource="*")
    service = {"sts:awsservicename": exactly(f"{_OTHERS}.amazonaws.com")}
    yield deed("get tokens of other services", "N8", replace(tokens, context=service))
    secret = f"arn:{place.partition}:secretsmanager:{local}:secret:{_OTHERS}"
    function = like(f"arn:{place.partition}:lambda:{local}:function:{_OTHERS}")
    for name, action in (
        ("read others' secrets", "secretsmanager:GetSecretValue"),
        ("replace others' secrets", "secretsmanager:PutSecretValue"),
    ):
        act = replace(whole, action=action, resource=secret)
        rotated = (replace(act, context={ROTATED_BY: each}) for each in (ABSENT, function))
        yield deed(name, "I8", *rotated)
    key = f"arn:{place.partition}:kms:{local}:key/{_OTHERS}"
    act = replace(whole, resource=key, policy=_of_the_account(place))
    using = [replace(act, action=each) for each in ("kms:Decrypt", "kms:GenerateDataKey")]
    grant = replace(act, action="kms:CreateGrant", context={_FOR_A_SERVICE: exactly("true")})
    yield deed("use others' keys", "E1", *using, grant)


_OPEN = parse(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    Kind.RESOURCE,
    "the policy of a stranger's repository",
)


def _of_the_account(place: Place) -> Document:
    principal = {"AWS": f"arn:{place.partition}:iam::{place.account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}
    return parse({"Statement": [statement]}, Kind.RESOURCE, "a key's policy that lets in its account")
