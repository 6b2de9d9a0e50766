"""What guardrails and boundaries hold: each is missed where it is not there, or forgets one action."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.verification.proofs.questions import Answer, Verdict
from tests.unit.verification.proofs.questions.clinic import ACCOUNT, Clinic

pytestmark = pytest.mark.slow

SCIENTIST = "arn:aws:iam::111122223333:role/clinic/clinic-Scientist"
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
}
Condition = dict[str, dict[str, Any]]


def compared(operator: str, key: str, *values: str) -> Condition:
    return {operator: {f"sagemaker:{key}": list(values)}}


def unsaid(*keys: str) -> Condition:
    return {"Null": {f"sagemaker:{key}": "true" for key in keys}}


def other_key(key: str) -> list[Condition]:
    """Where either name of the key says another one, or neither says any."""
    ours = {"Fn::GetAtt": ["Key", "Arn"]}
    others: list[Condition] = [
        {"Null": {f"sagemaker:{name}": "false"}, "StringNotEquals": {f"sagemaker:{name}": ours}}
        for name in (key, f"{key}Arn")
    ]
    return [*others, unsaid(key, f"{key}Arn")]


# By deed: when a request is to be denied, and an action that is not to be forgotten.
HELD: dict[str, tuple[list[Condition], str]] = {
    "run-outside-our-subnets": (
        [unsaid("VpcSubnets"), compared("ForAnyValue:StringNotEquals", "VpcSubnets", "subnet-ours")],
        "CreateAutoMLJob",
    ),
    "run-in-other-groups": (
        [
            unsaid("VpcSecurityGroupIds"),
            compared("ForAnyValue:StringNotEquals", "VpcSecurityGroupIds", "sg-ours"),
        ],
        "UpdateDomain",
    ),
    "run-without-isolation": ([compared("BoolIfExists", "NetworkIsolation", "false")], "CreateModel"),
    "send-plain-between-containers": (
        [compared("BoolIfExists", "InterContainerTrafficEncryption", "false")],
        "UpdateMonitoringSchedule",
    ),
    "run-without-our-key": (other_key("VolumeKmsKey"), "CreateEndpointConfig"),
    "write-without-our-key": (other_key("OutputKmsKey"), "CreateTransformJob"),
    "store-features-without-our-key-online": (
        other_key("FeatureGroupOnlineStoreKmsKey"),
        "CreateFeatureGroup",
    ),
    "store-features-without-our-key-offline": (
        other_key("FeatureGroupOfflineStoreKmsKey"),
        "CreateFeatureGroup",
    ),
    "run-on-other-machines": (
        [unsaid("InstanceTypes"), compared("ForAnyValue:StringNotLike", "InstanceTypes", "ml.m5.*")],
        "UpdateSpace",
    ),
    "give-notebooks-the-internet": (
        [compared("StringNotEquals", "DirectInternetAccess", "Disabled")],
        "CreateNotebookInstance",
    ),
    "run-as-root": ([compared("StringNotEquals", "RootAccess", "Disabled")], "UpdateNotebookInstance"),
    "hand-out-metadata-plainly": (
        [compared("StringNotEquals", "MinimumInstanceMetadataServiceVersion", "2")],
        "UpdateNotebookInstance",
    ),
    "give-Studio-the-internet": (
        [compared("StringNotEquals", "AppNetworkAccessType", "VpcOnly")],
        "UpdateDomain",
    ),
    "run-for-weeks": (
        [compared("NumericGreaterThan", "MaxRuntimeInSeconds", "86400")],
        "CreateModelBiasJobDefinition",
    ),
    "mount-other-file-systems": (
        [{"Null": {"sagemaker:FileSystemId": "false"}}],
        "CreateHyperParameterTuningJob",
    ),
    "debug-from-outside": ([compared("Bool", "EnableRemoteDebug", "true")], "UpdateTrainingJob"),
    "connect-from-outside": ([compared("StringEquals", "RemoteAccess", "ENABLED")], "UpdateSpace"),
    "serve-outside-any-network": (
        [{"Null": {"sagemaker:ServerlessMemorySize": "false"}}],
        "CreateEndpointConfig",
    ),
    "bring-containers-past-the-model": ([unsaid("ModelArn")], "CreateInferenceComponent"),
    "approve-a-model": ([compared("StringEquals", "ModelApprovalStatus", "Approved")], "UpdateModelPackage"),
    "take-work-past-every-control": ([{}], "StartSession"),
    "start-what-no-setting-holds": ([{}], "CreatePipeline"),
    "change-what-others-work-with": ([{}], "UpdateImageVersion"),
}


def scientist(*denials: dict[str, Any]) -> Clinic:
    """The clinic with somebody who starts work, under such denials."""
    clinic = Clinic()
    start = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
    clinic.add(
        "Scientist",
        "AWS::IAM::Role",
        Path="/clinic/",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [TRUST]},
        PermissionsBoundary={"Ref": "Boundary"},
        Policies=[
            {
                "PolicyName": "Guardrails",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [start, *denials]},
            }
        ],
    )
    return clinic


def denial(condition: Condition, **actions: Any) -> dict[str, Any]:
    named = {"Effect": "Deny", "Resource": "*", **(actions or {"Action": "sagemaker:*"})}
    return {**named, "Condition": condition} if condition else named


def one(clinic: Clinic, question: str) -> Answer:
    (found,) = clinic.ask(question)
    return found


@pytest.mark.parametrize("deed", HELD)
def test_a_guardrail_holds_every_action(deed: str) -> None:
    conditions, forgotten = HELD[deed]
    question = f"compromised-job/{deed}/SageMaker by guardrails"
    assert one(scientist(), question).verdict is Verdict.BY_DESIGN
    assert one(scientist(*map(denial, conditions)), question).verdict is Verdict.PROVED
    for number in range(len(conditions)):
        left = [denial(each) for index, each in enumerate(conditions) if index != number]
        assert one(scientist(*left), question).verdict is Verdict.BY_DESIGN, conditions[number]
    all_but_one = (denial(each, NotAction=f"sagemaker:{forgotten}") for each in conditions)
    answer = one(scientist(*all_but_one), question)
    assert answer.verdict is Verdict.BY_DESIGN
    assert {step.request.action for step in answer.steps} == {f"sagemaker:{forgotten}"}


def test_all_deeds_are_tested() -> None:
    asked = {answer.question.split("/")[1] for answer in scientist().ask("compromised-job/*by guardrails")}
    assert asked == set(HELD)


def test_who_starts_no_work_is_not_asked_about() -> None:
    assert Clinic().ask("*by guardrails") == []


def test_who_may_approve_is_not_asked_about() -> None:
    clinic = scientist()
    approve = {"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage", "Resource": "*"}
    clinic.document("Scientist")["Statement"].append(approve)
    assert clinic.ask("*/approve-a-model/*") == []


def test_a_guardrail_that_tells_roles_apart_is_asked_of_each() -> None:
    spared = denial({"ArnNotLike": {"aws:PrincipalArn": [SCIENTIST]}})
    question = "compromised-job/take-work-past-every-control/SageMaker by guardrails"
    clinic = scientist(spared)
    assert one(clinic, question).verdict is Verdict.BY_DESIGN
    other = dict(clinic["Scientist"])
    clinic.add("Engineer", "AWS::IAM::Role", **other)
    answer = one(clinic, question)
    assert answer.verdict is Verdict.BY_DESIGN
    assert answer.steps[0].request.principal.name == SCIENTIST


def test_work_from_elsewhere_is_held_by_its_network() -> None:
    question = "stolen-credentials/start-work-from-elsewhere/SageMaker by guardrails"
    assert one(scientist(), question).verdict is Verdict.BY_DESIGN
    ours = {"StringNotEqualsIfExists": {"aws:SourceVpce": {"Ref": "ApiEndpoint"}}}
    assert one(scientist(denial(ours)), question).verdict is Verdict.PROVED
    forgets = denial(ours, NotAction="sagemaker:CreateModel")
    assert one(scientist(forgets), question).verdict is Verdict.BY_DESIGN


# -- boundaries


def bounded(*statements: dict[str, Any]) -> Clinic:
    clinic = Clinic()
    clinic.document("Boundary")["Statement"] = list(statements)
    return clinic


def allow(*actions: str, **condition: Any) -> dict[str, Any]:
    named = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {**named, "Condition": condition} if condition else named


@pytest.mark.parametrize(
    ("deed", "allowed", "kept"),
    [
        ("compromised-job/rule-over-kms", "kms:*", "kms:Decrypt"),
        ("compromised-job/rule-over-iam", "iam:*", "iam:GetRole"),
        ("compromised-job/lose-evidence-of-cloudtrail", "cloudtrail:*", "cloudtrail:LookupEvents"),
        ("compromised-job/lose-evidence-of-logs", "logs:*", "logs:PutLogEvents"),
        ("compromised-job/become-somebody-elsewhere", "sts:*", "sts:GetCallerIdentity"),
    ],
)
def test_a_boundary_holds_what_it_leaves_out(deed: str, allowed: str, kept: str) -> None:
    question = f"{deed}/clinic/Boundary"
    assert one(bounded(allow(allowed)), question).verdict is Verdict.BY_DESIGN
    assert one(bounded(allow(kept)), question).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("deed", "action", "condition"),
    [
        ("give-keys-to-others", "kms:CreateGrant", {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        (
            "work-in-another-region",
            "sagemaker:*",
            {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}},
        ),
        (
            "get-tokens-of-other-services",
            "sts:GetServiceBearerToken",
            {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
        ),
        (
            "become-somebody-elsewhere",
            "sts:AssumeRole",
            {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
        ),
        ("pass-roles-past-SageMaker", "iam:PassRole", {"StringEquals": {"iam:PassedToService": "no"}}),
        (
            "lend-interfaces-to-others",
            "ec2:CreateNetworkInterfacePermission",
            {"StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"}},
        ),
    ],
)
def test_a_boundary_lets_through_some_requests_only(deed: str, action: str, condition: Condition) -> None:
    question = f"compromised-job/{deed}/clinic/Boundary"
    assert one(bounded(allow(action)), question).verdict is Verdict.BY_DESIGN
    assert one(bounded(allow(action, **condition)), question).verdict is Verdict.PROVED


@pytest.mark.parametrize("operator", ["StringEqualsIfExists", "StringNotEquals"])
def test_interfaces_are_lent_to_an_account_or_to_a_service(operator: str) -> None:
    named = {operator: {"ec2:AuthorizedService": "codebuild.amazonaws.com"}}
    clinic = bounded(allow("ec2:CreateNetworkInterfacePermission", **named))
    answer = one(clinic, "compromised-job/lend-interfaces-to-others/clinic/Boundary")
    assert answer.verdict is Verdict.BY_DESIGN


@pytest.mark.parametrize("service", ["s3", "kms", "sagemaker", "secretsmanager", "glue", "sts", "sqs", "ecr"])
def test_data_from_elsewhere_is_held_service_by_service(service: str) -> None:
    question = f"stolen-credentials/use-{service}-from-elsewhere/clinic/Boundary"
    work = allow("*")
    assert one(bounded(work), question).verdict is Verdict.BY_DESIGN
    ours = {"StringNotEqualsIfExists": {"aws:SourceVpce": {"Ref": "ApiEndpoint"}}}
    held = denial(ours, Action=f"{service}:*")
    answer = one(bounded(work, held), question)
    assert answer.verdict is Verdict.PROVED
    another = denial(ours, NotAction=f"{service}:*")
    assert one(bounded(work, another), question).verdict is Verdict.BY_DESIGN


def test_evidence_is_asked_about_of_trusted_roles_too() -> None:
    clinic = bounded(allow("s3:*"))
    clinic.remove("Training")
    clinic.add(
        "Administrator",
        "AWS::IAM::Role",
        RoleName="administrator",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [TRUST]},
        PermissionsBoundary={"Ref": "Boundary"},
    )
    assert {each.question.split("/")[1] for each in clinic.ask("*/clinic/Boundary")} == {
        "lose-evidence-of-cloudtrail",
        "lose-evidence-of-logs",
        "reach-another-account",
    }


def test_a_boundary_keeps_to_its_account() -> None:
    question = "compromised-job/reach-another-account/clinic/Boundary"
    assert one(bounded(allow("kms:PutKeyPolicy")), question).verdict is Verdict.BY_DESIGN
    own = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    assert one(bounded(allow("kms:PutKeyPolicy", **own)), question).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("deed", "action"), [("use-s3", "s3:GetObject"), ("rule-over-iam", "iam:CreateUser")]
)
def test_trusted_roles_are_asked_about_what_nobody_granted_them(deed: str, action: str) -> None:
    clinic = bounded(allow("*"))
    clinic.add(
        "Administrator",
        "AWS::IAM::Role",
        RoleName="administrator",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [TRUST]},
        PermissionsBoundary={"Ref": "Boundary"},
        Policies=[
            {
                "PolicyName": "Own",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow("s3:List*")]},
            }
        ],
    )
    question = f"compromised-job/{deed}/clinic/Administrator (as trusted)"
    assert one(clinic, question).verdict is (Verdict.BY_DESIGN if deed == "use-s3" else Verdict.PROVED)
    clinic.document("Administrator")["Statement"] = [allow("ec2:Describe*")]
    assert one(clinic, question).verdict is Verdict.PROVED
    clinic.document("Administrator")["Statement"] = [allow(action)]
    assert one(clinic, question).verdict is Verdict.BY_DESIGN


# -- the rest of the account


@pytest.mark.parametrize(
    ("deed", "action", "narrow"),
    [
        ("work-under-others'-names", "sagemaker:CreateModel", "arn:aws:sagemaker:*:*:model/ours-*"),
        (
            "approve-others'-models",
            "sagemaker:UpdateModelPackage",
            "arn:aws:sagemaker:*:*:model-package/ours-*",
        ),
        ("pass-others'-roles", "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/ours"),
        ("query-in-others'-workgroups", "athena:StartQueryExecution", "arn:aws:athena:*:*:workgroup/ours"),
        ("read-others'-tables", "glue:GetTable", "arn:aws:glue:*:*:table/ours/*"),
        ("change-others'-tables", "glue:UpdateTable", "arn:aws:glue:*:*:table/ours/*"),
        ("read-others'-logs", "logs:GetLogEvents", "arn:aws:logs:*:*:log-group:ours:log-stream:*"),
        ("forge-others'-logs", "logs:PutLogEvents", "arn:aws:logs:*:*:log-group:ours:log-stream:*"),
        ("run-strangers'-images", "ecr:BatchGetImage", f"arn:aws:ecr:*:{ACCOUNT}:repository/*"),
        (
            "listen-to-others'-packages",
            "codeartifact:ReadFromRepository",
            "arn:aws:codeartifact:*:*:repository/ours/ours",
        ),
        ("start-others'-workflows", "states:StartExecution", "arn:aws:states:*:*:stateMachine:ours"),
        ("start-others'-workflows", "codebuild:StartBuild", "arn:aws:codebuild:*:*:project/ours"),
        ("turn-others'-events-elsewhere", "events:PutTargets", "arn:aws:events:*:*:rule/ours"),
        ("use-others'-keys", "kms:CreateGrant", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/ours"),
        ("read-others'-secrets", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:ours"),
    ],
)
def test_a_grant_that_is_too_wide_reaches_the_rest(deed: str, action: str, narrow: str) -> None:
    question = f"compromised-job/{deed}/the rest of the account"
    clinic = bounded(allow("*"))
    assert one(clinic, question).verdict is Verdict.PROVED
    clinic.grant("Training", Action=action, Resource=narrow)
    assert one(clinic, question).verdict is Verdict.PROVED
    clinic.grant("Training", "Wide", Action=action, Resource="*")
    answer = one(clinic, question)
    assert answer.verdict is Verdict.BY_DESIGN
    assert "Wide" in answer.because


@pytest.mark.parametrize(
    ("deed", "action", "condition"),
    [
        ("forge-others'-metrics", "cloudwatch:PutMetricData", {"cloudwatch:namespace": "ours"}),
        (
            "get-tokens-of-other-services",
            "sts:GetServiceBearerToken",
            {"sts:AWSServiceName": "codeartifact.amazonaws.com"},
        ),
        (
            "lend-others'-interfaces",
            "ec2:CreateNetworkInterfacePermission",
            {"ec2:Subnet": "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-ours"},
        ),
        (
            "replace-others'-secrets",
            "secretsmanager:PutSecretValue",
            {"secretsmanager:resource/AllowRotationLambdaArn": "arn:aws:lambda:::function:ours"},
        ),
    ],
)
def test_a_condition_keeps_from_the_rest(deed: str, action: str, condition: dict[str, str]) -> None:
    question = f"compromised-job/{deed}/the rest of the account"
    clinic = bounded(allow("*"))
    kept = {"StringLike": condition}
    clinic.grant("Training", Action=action, Resource="*", Condition=kept)
    assert one(clinic, question).verdict is Verdict.PROVED
    kept["StringLike"] = dict.fromkeys(condition, "*")
    assert one(clinic, question).verdict is Verdict.BY_DESIGN


# -- signing in

PROVIDER = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:saml-provider/Clinic"}
MEANT = {"SAML:aud": "https://signin.aws.amazon.com/saml"}


@pytest.mark.parametrize(
    ("tests", "others", "unmarked"),
    [
        ({**MEANT, "aws:RequestTag/mfa": "true"}, Verdict.PROVED, Verdict.PROVED),
        (MEANT, Verdict.PROVED, Verdict.BY_DESIGN),
        ({"aws:RequestTag/mfa": "true"}, Verdict.BROKEN, Verdict.PROVED),
    ],
)
def test_people_sign_in_by_an_assertion_for_us_with_a_second_factor(
    tests: dict[str, str], others: Verdict, unmarked: Verdict
) -> None:
    clinic = Clinic()
    people = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithSAML",
        "Condition": {"StringEquals": tests},
    }
    clinic.add(
        "Auditor",
        "AWS::IAM::Role",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [people]},
    )
    asked = {each.deed: each.verdict for each in clinic.ask("outsider/sign-in-*/clinic/Auditor")}
    assert asked == {
        "sign in by an assertion for others": others,
        "sign in without a second factor": unmarked,
    }
