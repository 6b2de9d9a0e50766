"""Images, and the builds that make them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.keys import CustomerKey
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import each_statement, public_statements
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    PRESENT,
    SUPPLY_CHAIN,
    TAMPERING,
    THEFT,
    TRUE,
    WALLET,
    in_vpc,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, Missing, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, values
from secure_ml_constructs.verification.rules.rule import ERROR, FATAL, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import secret_in
from secure_ml_constructs.verification.templates import show

_REPOSITORY = "AWS::ECR::Repository"
_BUILD = "AWS::CodeBuild::Project"
_repository = partial(Rule, resource_type=_REPOSITORY)
_build = partial(Rule, resource_type=_BUILD)
_KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")
_DEEDS = {
    "pushes": ("ecr:PutImage", "ecr:UploadLayerPart", "ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload"),
    "pulls": ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
}
_WHO = ("aws:principalarn", "aws:userid", "aws:principalorgpaths")
# In minutes: half a working day.
_LONGEST_BUILD = 4 * 60


def _registry_scans(context: Context) -> Iterator[Outcome]:
    if not context.graph.by_type.get("AWS::ECR::RegistryScanningConfiguration"):
        yield Fail("is not scanned by the registry either")


def _repository_policy(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "RepositoryPolicyText", accounts=True)


def _repository_closed(context: Context) -> Iterator[Outcome]:
    """Within the account IAM alone is enough to push and to pull: only a denial keeps others out."""
    denials = [
        statement
        for _, statement in each_statement(context, "RepositoryPolicyText")
        if not statement.allow
        and {"*", "aws:*"} & set(statement.principals)
        and any(
            "not" in operator and key in _WHO and not any(set(value) <= set("*?") for value in named)
            for (operator, key), named in statement.conditions.items()
        )
    ]
    for deed, actions in _DEEDS.items():
        if not all(any(each.covers(action) for each in denials) for action in actions):
            message = f"does not say who {deed}: no denial names the roles that do"
            yield Fail(message, "RepositoryPolicyText")


def _kept(context: Context) -> Iterator[Outcome]:
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        given = context.resource.body.get(name)
        if given not in _KEPT:
            yield Fail(f"has {given or 'no'} {name}")
    yield from At("EmptyOnDelete", absent_or(False)).check(context)


def _build_secrets(context: Context) -> Iterator[Outcome]:
    for path, item in values(context, "Environment.EnvironmentVariables[*]"):
        if isinstance(item, dict):
            get = partial(context.graph.at, context.resource.template, item)
            if get(("Type",)) not in ("SECRETS_MANAGER", "PARAMETER_STORE"):
                found = secret_in(show(get(("Name",))), get(("Value",)))
                if found:
                    yield Fail(found, f"{path}.Value")


RULES = (
    _repository(
        id="EcrImmutableTags",
        requirement=At("ImageTagMutability", Equals("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION")),
        severity=ERROR,
        control="T2",
        threats=(SUPPLY_CHAIN, TAMPERING),
        title="A tag of an image can't be moved",
        why="Whoever can push would put another image under a tag that was scanned.",
        fix="Set ImageTagMutability to IMMUTABLE.",
        standards=("ECR.2",),
    ),
    _repository(
        id="EcrScanned",
        requirement=AnyOf(At("ImageScanningConfiguration.ScanOnPush", TRUE), Code(_registry_scans)),
        severity=ERROR,
        control="T2",
        threats=(SUPPLY_CHAIN,),
        title="Images are scanned",
        why="Known holes come with the base image.",
        fix="Set ScanOnPush to true, or scan the registry by AWS::ECR::RegistryScanningConfiguration.",
        standards=("ECR.1",),
    ),
    _repository(
        id="EcrCustomerKey",
        requirement=Every(
            At("EncryptionConfiguration.EncryptionType", Equals("KMS", "KMS_DSSE")),
            At("EncryptionConfiguration.KmsKey", CustomerKey()),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER, THEFT),
        title="Images are under a customer key",
        why="A key of AWS's own has no policy that keeps others in the account out, and can't be revoked.",
        fix="Set EncryptionConfiguration to KMS with the ARN of a customer key.",
        standards=("ECR.5",),
    ),
    _repository(
        id="EcrPolicyNotPublic",
        requirement=Code(_repository_policy),
        severity=FATAL,
        control="T2",
        threats=(THEFT, SUPPLY_CHAIN),
        title="Images are pulled by accounts of ours only",
        why="Images hold code, and often models.",
        fix="Name principals of this account or of the setting trusted_accounts.",
    ),
    _repository(
        id="EcrPolicyNamesRoles",
        requirement=Code(_repository_closed),
        severity=WARNING,
        control="T2",
        threats=(SUPPLY_CHAIN, INSIDER),
        title="The policy of a repository says who pushes and who pulls",
        why="Anyone in the account whom IAM lets push would put an image where jobs take theirs from.",
        fix="Deny pushing and pulling to everyone but the roles named by aws:PrincipalArn.",
    ),
    _repository(
        id="EcrRetained",
        requirement=Code(_kept, "It lies outside the properties."),
        severity=WARNING,
        control="X8",
        threats=(TAMPERING,),
        title="Images outlive their stack",
        why="With the images goes what shows which code a job ran, and nothing that runs them starts again.",
        fix="Set DeletionPolicy and UpdateReplacePolicy to Retain, and leave EmptyOnDelete out.",
    ),
    _build(
        id="CodeBuildHardened",
        requirement=Every(
            At("EncryptionKey", CustomerKey()), At("Environment.PrivilegedMode", absent_or(False))
        ),
        severity=WARNING,
        control="I11",
        threats=(SUPPLY_CHAIN,),
        title="A build is under a customer key and not privileged",
        why="A privileged build can leave its container; what it makes is what we run.",
        fix="Set EncryptionKey to a customer key, and leave PrivilegedMode out.",
        standards=("CodeBuild.5",),
    ),
    _build(
        id="CodeBuildNoSecrets",
        requirement=Code(_build_secrets, "Names and values are items of a list."),
        severity=ERROR,
        control="E5",
        threats=(SUPPLY_CHAIN, INSIDER),
        title="A build holds no secret in its environment variables",
        why="Variables are readable in the template, in the console and in the log of the build.",
        fix="Set Type to SECRETS_MANAGER and name the secret.",
        standards=("CodeBuild.2",),
    ),
    in_vpc("CodeBuildInVpc", _BUILD, "VpcConfig", "A build", severity=WARNING, control="N2"),
    _build(
        id="CodeBuildLogged",
        requirement=AnyOf(
            Every(
                At("LogsConfig.CloudWatchLogs.Status", Equals("ENABLED")),
                At("LogsConfig.CloudWatchLogs.GroupName", PRESENT),
            ),
            At("LogsConfig.S3Logs.Status", Equals("ENABLED")),
        ),
        severity=WARNING,
        control="A1",
        threats=(SUPPLY_CHAIN, TAMPERING),
        title="A build logs to a group or bucket of ours",
        why="The group that CodeBuild makes has no customer key; without a log nobody knows what went in.",
        fix="Set LogsConfig.CloudWatchLogs to ENABLED with a group that has key and retention.",
        standards=("CodeBuild.4",),
    ),
    _build(
        id="CodeBuildOutputEncrypted",
        requirement=Every(
            At("Artifacts.EncryptionDisabled", absent_or(False)),
            At("SecondaryArtifacts[*].EncryptionDisabled", absent_or(False)),
            At("LogsConfig.S3Logs.EncryptionDisabled", absent_or(False)),
        ),
        severity=WARNING,
        control="E3",
        threats=(INSIDER,),
        title="What a build makes and logs is encrypted",
        why="It says how what we run is made, and often holds it.",
        fix="Leave EncryptionDisabled out.",
        standards=("CodeBuild.3",),
    ),
    _build(
        id="CodeBuildNotPublic",
        requirement=Every(At("Visibility", absent_or("PRIVATE")), At("ResourceAccessRole", Missing())),
        severity=FATAL,
        control="D3",
        threats=(INSIDER, THEFT),
        title="Nobody on the internet sees a build",
        why="The logs and artifacts of a public build are there for everyone.",
        fix="Set Visibility to PRIVATE, and leave ResourceAccessRole out.",
    ),
    _build(
        id="CodeBuildBounded",
        requirement=Every(
            At("TimeoutInMinutes", Bounded(most=_LONGEST_BUILD, absent=True)),
            At("ConcurrentBuildLimit", PRESENT),
        ),
        severity=WARNING,
        control="G12",
        threats=(WALLET, HIJACK),
        title="A build has a bound on its time, and on how often it runs at once",
        why="A build that mines may run for 36 hours, as often at once as the account allows.",
        fix="Set TimeoutInMinutes to 240 or less, and ConcurrentBuildLimit.",
    ),
)
