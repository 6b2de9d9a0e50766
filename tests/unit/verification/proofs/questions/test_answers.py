"""What an answer rests on: guardrails that are given, what can't be known, and grants made for one zone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.verification.proofs.questions import Adversary, Answer, Trust, Verdict
from secure_ml_constructs.verification.proofs.questions.trust import DEPLOYING
from tests.support.decisions import Simulator
from tests.unit.verification.proofs.questions import replay
from tests.unit.verification.proofs.questions.clinic import ACCOUNT, TRUST, Clinic

ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/administrator"
PROTECT: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Trail",
            "Effect": "Deny",
            "Action": "cloudtrail:*",
            "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": [ADMINISTRATOR, "arn:aws:iam::*:role/cdk-*"]}},
        }
    ],
}


def one(clinic: Clinic, question: str, trust: Trust = TRUST) -> Answer:
    (answer,) = clinic.ask(question, trust=trust)
    return answer


# -- guardrails ---------------------------------------------------------------------------------------


def test_a_guardrail_that_is_given_proves_what_needed_it() -> None:
    question = "insider/stop/clinic/Trail"
    missing = one(Clinic(), question)
    assert missing.verdict is Verdict.NEEDS_GUARDRAIL
    assert "SCP" in missing.because
    assert missing.steps[0].request.action in ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")
    # Two exceptions of the document are trusted: the administrator and the CDK's deploying role.
    trust = replace(TRUST, scps=((PROTECT,),), deploying_roles=(DEPLOYING, "arn:aws:iam::*:role/cdk-*"))
    given = one(Clinic(), question, trust)
    assert given.verdict is Verdict.PROVED
    assert "Trail of SCP 1.1" in given.because


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"StringEquals": {"aws:PrincipalTag/team": "research"}},
    ],
)
def test_a_guardrail_with_a_hole_is_broken(condition: dict[str, Any], simulator: Simulator) -> None:
    weak = {**PROTECT, "Statement": [{**PROTECT["Statement"][0], "Condition": condition}]}
    answer = one(Clinic(), "insider/stop/clinic/Trail", replace(TRUST, scps=((weak,),)))
    assert answer.verdict is Verdict.BROKEN
    assert all(replay.allowed(simulator, step) for step in answer.steps)


def test_a_resource_control_policy_counts_for_ours() -> None:
    clinic = Clinic()
    clinic.drop("DataPolicy", "Versions")
    question = "insider/delete/clinic/Data/raw"
    assert one(clinic, question).verdict is Verdict.BROKEN
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Keep",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:DeleteObjectVersion",
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": ADMINISTRATOR}},
            }
        ],
    }
    answer = one(clinic, question, replace(TRUST, rcps=((document,),)))
    assert answer.verdict is Verdict.PROVED
    assert "Keep of RCP 1.1" in answer.because


# -- what can't be known is not proved ----------------------------------------------------------------


def test_a_managed_policy_that_no_template_has_is_not_covered() -> None:
    clinic = Clinic()
    clinic.drop("DataPolicy", "Networks")
    clinic["Training"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"]
    clinic["Training"]["Policies"] = []
    del clinic["Training"]["PermissionsBoundary"]
    answer = one(clinic, "stolen-credentials/read/clinic/Data/raw")
    assert answer.verdict is Verdict.NOT_COVERED
    assert "AmazonSageMakerFullAccess" in answer.because


def test_a_managed_policy_does_no_harm_behind_a_deny() -> None:
    clinic = Clinic()
    clinic["Training"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]
    answer = one(clinic, "stolen-credentials/write/clinic/Data/raw")
    assert answer.verdict is Verdict.PROVED
    assert "Networks" in answer.because


def test_a_key_from_elsewhere_is_not_covered() -> None:
    clinic = Clinic()
    clinic.drop("DataPolicy", "Networks")
    encryption = clinic["Data"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] = (
        f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    )
    clinic.statement("Training", "Key")["Resource"] = "*"
    answer = one(clinic, "stolen-credentials/read/clinic/Data/raw")
    assert answer.verdict is Verdict.NOT_COVERED
    assert "key policy is not given" in answer.because


def test_a_parameter_without_default_as_principal_is_not_covered() -> None:
    clinic = Clinic()
    clinic.body["Parameters"] = {"Partner": {"Type": "String"}}
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"]
    trust.append({"Effect": "Allow", "Principal": {"AWS": {"Ref": "Partner"}}, "Action": "sts:AssumeRole"})
    answer = one(clinic, "outsider/assume/clinic/Training")
    assert answer.verdict is Verdict.NOT_COVERED


def test_a_condition_is_asked_in_both_worlds() -> None:
    clinic = Clinic()
    clinic.body["Parameters"] = {"Open": {"Type": "String", "AllowedValues": ["yes", "no"]}}
    clinic.body["Conditions"] = {"IsOpen": {"Fn::Equals": [{"Ref": "Open"}, "yes"]}}
    statement = clinic.statement("DataPolicy", "Networks")
    statement["Effect"] = {"Fn::If": ["IsOpen", "Allow", "Deny"]}
    statement["Condition"] = {"Fn::If": ["IsOpen", {"Ref": "AWS::NoValue"}, statement["Condition"]]}
    answer = one(clinic, "stolen-credentials/read/clinic/Data/raw")
    assert answer.verdict is Verdict.BROKEN


def test_more_worlds_than_can_be_read_leave_everything_not_covered() -> None:
    clinic = Clinic()
    clinic.body["Parameters"] = {f"P{i}": {"Type": "String"} for i in range(6)}
    clinic.body["Conditions"] = {f"C{i}": {"Fn::Equals": [{"Ref": f"P{i}"}, "x"]} for i in range(6)}
    actions = [{"Fn::If": [f"C{i}", f"s3:Get{i}", f"s3:Put{i}"]} for i in range(6)]
    clinic.grant("Training", Action=actions, Resource="*")
    answers = clinic.ask()
    assert {answer.verdict for answer in answers} == {Verdict.NOT_COVERED}
    assert {answer.adversary for answer in answers} == set(Adversary)


# -- grants and doors ---------------------------------------------------------------------------------


def test_what_is_granted_for_one_zone_is_by_design_and_the_next_zone_is_proved() -> None:
    answers = {answer.question: answer for answer in Clinic().ask("compromised-job/*/clinic/Data/*")}
    read = answers["compromised-job/read/clinic/Data/raw"]
    assert read.verdict is Verdict.BY_DESIGN
    assert "ReadRaw of clinic/Training/Work" in read.because
    assert read.control == "D3"
    assert answers["compromised-job/read/clinic/Data/models"].verdict is Verdict.PROVED
    assert answers["compromised-job/write/clinic/Data/raw"].verdict is Verdict.PROVED


def test_packages_are_by_design_where_repository_and_domain_are_named() -> None:
    answers = {answer.question: answer for answer in Clinic().ask("compromised-job/*/clinic/Package*")}
    meant = {
        question: answer.because
        for question, answer in answers.items()
        if answer.verdict is Verdict.BY_DESIGN
    }
    assert set(meant) == {
        "compromised-job/pull/clinic/Packages",
        "compromised-job/sign-in/clinic/PackageDomain",
    }
    assert "Install of clinic/Training/Work" in meant["compromised-job/pull/clinic/Packages"]
    assert answers["compromised-job/push/clinic/Packages"].verdict is Verdict.PROVED


def test_a_service_that_keeps_its_credentials_has_none_to_steal() -> None:
    clinic = Clinic()
    answer = one(clinic, "stolen-credentials/invoke-past-its-door/clinic/Serving")
    assert answer.verdict is Verdict.PROVED
    clinic["Door"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {
        "Service": "lambda.amazonaws.com"
    }
    assert one(clinic, answer.question).verdict is Verdict.BROKEN


def test_a_job_without_an_endpoint_or_a_way_out_reaches_nothing() -> None:
    clinic = Clinic()
    clinic.grant("Training", Action="sagemaker:UpdateModelPackage", Resource="*")
    question = "compromised-job/approve/clinic/Registry"
    assert one(clinic, question).verdict is Verdict.BROKEN
    clinic.remove("ApiEndpoint")
    assert one(clinic, question).verdict is Verdict.PROVED


def test_an_outsider_is_of_no_account_that_is_trusted() -> None:
    """Whichever account is trusted, the stranger is of another one."""
    trust = replace(TRUST, accounts=("999988887777",))
    answers = Clinic().ask("outsider/*", "compromised-job/carry-data-out/*", trust=trust)
    assert {answer.verdict for answer in answers} == {Verdict.PROVED}
    clinic = Clinic()
    clinic.grant("Key", Principal={"AWS": "*"}, Action="kms:Decrypt", Resource="*")
    answer = one(clinic, "outsider/use/clinic/Key", trust)
    assert answer.verdict is Verdict.BROKEN
    assert answer.steps[0].request.principal.account == "999988887778"


def test_an_endpoint_is_asked_about_by_itself() -> None:
    """A way past it is another question."""
    clinic = Clinic()
    for logical_id in ("Vpc", "Subnet", "Table", "TableOfSubnet"):
        clinic.remove(logical_id)
    for logical_id in ("EndpointGroup", "JobGroup"):
        clinic[logical_id]["VpcId"] = "vpc-0123456789abcdef0"
    for logical_id, resource in clinic.body["Resources"].items():
        if resource["Type"] == "AWS::EC2::VPCEndpoint":
            clinic[logical_id]["VpcId"] = "vpc-0123456789abcdef0"
            clinic[logical_id].pop("RouteTableIds", None)
            if "SubnetIds" in clinic[logical_id]:
                clinic[logical_id]["SubnetIds"] = ["subnet-0123456789abcdef0"]
    carry = clinic.ask("compromised-job/carry-data-out/*")
    assert {answer.verdict for answer in carry} == {Verdict.PROVED}
    (elsewhere,) = clinic.ask("compromised-job/reach-the-internet/*")
    assert elsewhere.verdict is Verdict.NOT_COVERED
    assert "no template has the subnets" in elsewhere.because


FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"


def rotated(function: str = FUNCTION) -> Clinic:
    """Let the training role stand for one that rotates the secrets which name its function."""
    clinic = Clinic()
    clinic.drop("Training", "Secret")
    clinic.grant(
        "Training",
        Action="secretsmanager:PutSecretValue",
        Resource="*",
        Condition={"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": FUNCTION}},
    )
    clinic.add(
        "Schedule",
        "AWS::SecretsManager::RotationSchedule",
        SecretId={"Ref": "Secret"},
        RotationLambdaARN=function,
    )
    return clinic


def test_what_rotates_a_secret_is_named_by_the_secret() -> None:
    question = "compromised-job/replace/clinic/Secret"
    named = one(rotated(), question)
    assert named.verdict is Verdict.BY_DESIGN
    assert "as the secret itself says" in named.because
    assert one(rotated(f"{FUNCTION}-other"), question).verdict is Verdict.PROVED
    clinic = rotated()
    clinic.remove("Schedule")
    assert one(clinic, question).verdict is Verdict.PROVED
    assert one(rotated(), "stolen-credentials/replace/clinic/Secret").verdict is Verdict.BROKEN


def test_nobody_is_trusted_unless_it_is_said() -> None:
    answer = one(Clinic(), "insider/delete/clinic/Data/raw", Trust(organization="o-abcdefghij"))
    assert answer.verdict is Verdict.BROKEN
    assert answer.steps[0].request.principal.name == ADMINISTRATOR


def test_trust_is_read_with_every_problem_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Trust.read({"organisation": "o-1", "accounts": "1", "scps": ["no document"]}, "proofs.yaml")
    assert {problem.argument for problem in caught.value.problems} == {
        "proofs.organisation",
        "proofs.accounts",
        "proofs.scps[0]",
    }


def test_trust_survives_being_written() -> None:
    trust = replace(TRUST, scps=((PROTECT,),))
    assert Trust.read(trust.as_json(), "record") == trust
