"""What a resource's own policy should deny, whatever roles are granted: each cell by one statement."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest

from secure_ml_constructs.verification.proofs import environment
from secure_ml_constructs.verification.proofs.iam.prove import Answer as Proof
from secure_ml_constructs.verification.proofs.iam.prove import Question, prove
from secure_ml_constructs.verification.proofs.questions import Answer, Verdict, ask
from secure_ml_constructs.verification.proofs.questions.ask import Prover
from tests.unit.verification.proofs.questions.clinic import ACCOUNT, Clinic

pytestmark = pytest.mark.slow

DATA = "clinic/Data (bucket)"
DEPLOYING = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-*"
BOTH: list[Any] = [{"Fn::GetAtt": ["Data", "Arn"]}, {"Fn::Sub": "${Data.Arn}/*"}]


def deny(clinic: Clinic, sid: str, action: str | list[str], **condition: Any) -> None:
    clinic.document("DataPolicy")["Statement"].append(
        {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": BOTH,
            **({"Condition": condition} if condition else {}),
        }
    )


def answer(clinic: Clinic, question: str) -> Answer:
    (found,) = clinic.ask(question)
    return found


OLD = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}


def without_tls() -> Clinic:
    """The clinic without any denial of plain transport or old versions."""
    clinic = Clinic()
    document = clinic.document("DataPolicy")
    document["Statement"] = [
        each
        for each in document["Statement"]
        if not {"aws:SecureTransport", "s3:TlsVersion"} & {k for c in each["Condition"].values() for k in c}
    ]
    return clinic


def test_plain_transport_is_open_until_it_is_denied() -> None:
    question = f"compromised-job/reach-without-TLS-1.2/{DATA}"
    clinic = without_tls()
    deny(clinic, "OldTls", "s3:*", **OLD)
    left = answer(clinic, question)
    assert left.verdict is not Verdict.PROVED
    assert left.steps[0].request.context["aws:securetransport"] == "false"
    deny(clinic, "PlainTransport", "s3:*", Bool={"aws:SecureTransport": "false"})
    held = answer(clinic, question)
    assert held.verdict is Verdict.PROVED
    assert "PlainTransport" in held.because


@pytest.mark.parametrize("resource", BOTH)
def test_plain_transport_is_asked_of_bucket_and_objects(resource: Any) -> None:
    clinic = without_tls()
    deny(clinic, "OldTls", "s3:*", **OLD)
    deny(clinic, "PlainTransport", "s3:*", Bool={"aws:SecureTransport": "false"})
    clinic.statement("DataPolicy", "PlainTransport")["Resource"] = resource
    question = f"compromised-job/reach-without-TLS-1.2/{DATA}"
    assert answer(clinic, question).verdict is not Verdict.PROVED


def test_old_versions_of_tls_are_asked_about() -> None:
    question = f"compromised-job/reach-without-TLS-1.2/{DATA}"
    clinic = without_tls()
    deny(clinic, "PlainTransport", "s3:*", Bool={"aws:SecureTransport": "false"})
    assert answer(clinic, question).verdict is not Verdict.PROVED
    deny(clinic, "OldTls", "s3:*", **OLD)
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.statement("DataPolicy", "OldTls")["Condition"] = {"NumericLessThan": {"s3:TlsVersion": "1.1"}}
    assert answer(clinic, question).verdict is not Verdict.PROVED


def test_requests_from_outside_need_a_denial_of_every_action() -> None:
    question = f"stolen-credentials/reach-from-outside/{DATA}"
    clinic = Clinic()
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN
    deny(clinic, "Everything", "s3:*", **clinic.statement("DataPolicy", "Networks")["Condition"])
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.statement("DataPolicy", "Everything")["Action"] = ["s3:*Object*", "s3:Replicate*", "s3:*Upload*"]
    for action in ("s3:ListBucket", "s3:InitiateReplication"):
        assert action in answer(clinic, question).because


def test_requests_from_outside_are_those_of_anybody() -> None:
    """Roles of the environment and others beside them, of which a denial may forget either."""
    question = f"stolen-credentials/reach-from-outside/{DATA}"
    for forgotten in (f"arn:aws:iam::{ACCOUNT}:role/clinic/*", f"arn:aws:iam::{ACCOUNT}:user/*"):
        clinic = Clinic()
        condition = copy.deepcopy(clinic.statement("DataPolicy", "Networks")["Condition"])
        condition["ArnNotLikeIfExists"] = {"aws:PrincipalArn": forgotten}
        deny(clinic, "Everything", "s3:*", **condition)
        assert answer(clinic, question).verdict is Verdict.BY_DESIGN


@pytest.mark.parametrize(
    "action", ["s3:PutObject", "s3:PutObjectRetention", "s3:ReplicateDelete", "s3:UpdateObjectEncryption"]
)
def test_logs_need_a_denial_of_every_change(action: str) -> None:
    clinic = Clinic()
    writing = clinic.statement("ArchivePolicy", "Writing")
    every = ["s3:InitiateReplication", "s3:ObjectOwner*", "s3:PutObject*", "s3:Replicate*", "s3:Update*"]
    writing["Action"] = every
    for adversary in ("stolen-credentials", "compromised-job"):
        assert answer(clinic, f"{adversary}/alter/clinic/Archive").verdict is Verdict.PROVED
    del writing["Action"]
    writing["NotAction"] = action
    assert answer(clinic, "compromised-job/alter/clinic/Archive").verdict is Verdict.BY_DESIGN


def test_who_deploys_is_asked_about_as_well() -> None:
    clinic = Clinic()
    question = f"insider/destroy-while-deploying/{DATA}"
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.statement("DataPolicy", "Versions")["Condition"] = {
        "ArnNotLikeIfExists": {"aws:PrincipalArn": DEPLOYING}
    }
    trusted = answer(clinic, question)
    assert trusted.verdict is Verdict.BY_DESIGN
    assert "deploys the environment" in trusted.because
    assert answer(clinic, "insider/read-while-deploying/clinic/Archive").verdict is Verdict.PROVED


def test_a_key_is_used_through_services_only() -> None:
    clinic = Clinic()
    for adversary in ("compromised-job", "stolen-credentials"):
        assert answer(clinic, f"{adversary}/use-directly/clinic/Key").verdict is Verdict.PROVED
    del clinic.statement("Key", "Use")["Condition"]["StringEquals"]
    for adversary in ("compromised-job", "stolen-credentials"):
        assert answer(clinic, f"{adversary}/use-directly/clinic/Key").verdict is Verdict.BY_DESIGN


@pytest.mark.parametrize("everyone", ["*", {"AWS": "*"}])
def test_a_key_asks_for_a_permission_besides(everyone: Any) -> None:
    """With everyone as the principal, roles that a condition lets in need none of their own."""
    clinic = Clinic()
    question = "compromised-job/use-without-permission/clinic/Key"
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.statement("Key", "Use")["Principal"] = everyone
    assert answer(clinic, question).verdict is Verdict.BROKEN


def test_no_service_that_is_not_named_acts_for_us() -> None:
    clinic = Clinic()
    question = "confused-deputy/write/clinic/Archive"
    writes = clinic.statement("ArchivePolicy", "TrailWrites")
    writes["Principal"] = "*"
    # The ARN of a trail is given by CloudTrail alone.
    assert answer(clinic, question).verdict is Verdict.PROVED
    writes["Condition"] = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    found = answer(clinic, question)
    assert found.verdict is Verdict.BROKEN
    assert "some-service.amazonaws.com" in found.because


def test_log_entries_are_written_by_name() -> None:
    clinic = Clinic()
    clinic.grant("Training", "Log", Action="logs:PutLogEvents", Resource="*")
    clinic.add(
        "LogsEndpoint",
        "AWS::EC2::VPCEndpoint",
        ServiceName={"Fn::Sub": "com.amazonaws.${AWS::Region}.logs"},
        VpcEndpointType="Interface",
        VpcId={"Ref": "Vpc"},
    )
    clinic.document("Boundary")["Statement"][0]["Action"].append("logs:*")
    question = "compromised-job/forge/clinic/Log"
    assert answer(clinic, question).verdict is Verdict.BROKEN
    granted = {"Fn::Sub": "${Log.Arn}"}
    clinic.statement("Training", "Log")["Resource"] = granted
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN


def test_what_is_alike_is_proved_once_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []

    def counted(question: Question) -> Proof:
        asked.append(question)
        return prove(question)

    monkeypatch.setattr(environment, "Prover", partial(Prover, prover=counted))
    once = Clinic().ask()
    few = len(asked)
    monkeypatch.setattr(ask, "ProvedOnce", lambda prover: prover)
    assert [(each.question, each.verdict, each.because) for each in Clinic().ask()] == [
        (each.question, each.verdict, each.because) for each in once
    ]
    assert len(asked) - few > 1.3 * few


def test_a_bucket_with_zones_is_listed_zone_by_zone() -> None:
    question = "compromised-job/list-past-the-zones/clinic/Data (bucket)"
    clinic = Clinic()
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.grant(
        "Training",
        Action="s3:ListBucket",
        Resource={"Fn::GetAtt": ["Data", "Arn"]},
        Condition={"StringLike": {"s3:prefix": ["raw/*"]}},
    )
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.statement("Training", "Hole")["Condition"]["StringLike"]["s3:prefix"] = ["*"]
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN
    clinic.statement("Training", "Hole")["Resource"] = "*"
    assert answer(clinic, question).verdict is Verdict.BROKEN


def test_a_topic_takes_no_subscription_in_plain_of_whoever_deploys() -> None:
    question = "insider/deliver-in-plain-while-deploying/clinic/Topic"
    clinic = Clinic()
    assert answer(clinic, question).verdict is Verdict.PROVED
    clinic.statement("TopicPolicy", "Strangers")["Condition"]["ArnNotLikeIfExists"] = {
        "aws:PrincipalArn": DEPLOYING
    }
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN
    statement = {"StringEquals": {"sns:Protocol": "http"}}
    clinic.document("TopicPolicy")["Statement"].append(
        {
            "Sid": "Plain",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Subscribe",
            "Resource": "*",
            "Condition": statement,
        }
    )
    assert answer(clinic, question).verdict is Verdict.PROVED


def test_a_key_is_used_for_what_its_encryption_context_says() -> None:
    question = "compromised-job/use-outside-its-purpose/clinic/Key"
    clinic = Clinic()
    assert answer(clinic, question).verdict is Verdict.PROVED
    statement = {
        "Sid": "Flows",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": "arn:*"}},
    }
    clinic.document("Key")["Statement"].append(statement)
    assert answer(clinic, question).verdict is Verdict.PROVED
    del statement["Condition"]
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN


def test_a_role_uses_a_key_for_what_its_encryption_context_says() -> None:
    question = "compromised-job/use-keys-outside-their-purpose/clinic/Runs"
    clinic = Clinic()
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    context = {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": "arn:*"}}
    through = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    clinic.add("Other", "AWS::KMS::Key", KeyPolicy={"Statement": [through]})
    own = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Fn::GetAtt": ["Other", "Arn"]}}
    service = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"PolicyName": "Own", "PolicyDocument": {"Statement": [{**own, "Condition": context}]}}
    clinic.add("Runs", "AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [service]}, Policies=[policy])
    clinic.document("Other")["Statement"].append({**through, "Condition": context})
    assert answer(clinic, question).verdict is Verdict.PROVED
    policy["PolicyDocument"] = {"Statement": [own]}
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN


@pytest.mark.parametrize(
    ("asset", "endpoint"), [("Packages", "PackagesEndpoint"), ("PackageDomain", "TokenEndpoint")]
)
def test_packages_are_used_by_our_endpoints_only(asset: str, endpoint: str) -> None:
    question = f"stolen-credentials/use-from-outside/clinic/{asset}"
    clinic = Clinic()
    assert answer(clinic, question).verdict is Verdict.BY_DESIGN
    denial = {
        "Sid": "Networks",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "codeartifact:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": {"Ref": endpoint}}},
    }
    clinic.document(asset)["Statement"].append(denial)
    held = answer(clinic, question)
    assert held.verdict is Verdict.PROVED
    assert "Networks" in held.because


@pytest.mark.parametrize(
    ("deed", "action"),
    [
        ("pull", "ecr:BatchGetImage"),
        ("pull", "ecr:GetDownloadUrlForLayer"),
        ("push", "ecr:PutImage"),
        ("push", "ecr:InitiateLayerUpload"),
        ("push", "ecr:UploadLayerPart"),
        ("push", "ecr:CompleteLayerUpload"),
        ("delete", "ecr:BatchDeleteImage"),
        ("delete", "ecr:PutLifecyclePolicy"),
        ("open-up", "ecr:SetRepositoryPolicy"),
        ("open-up", "ecr:DeleteRepositoryPolicy"),
        ("open-up", "ecr:PutImageTagMutability"),
        ("open-up", "ecr:PutImageScanningConfiguration"),
    ],
)
def test_images_need_a_denial_of_every_request(deed: str, action: str) -> None:
    question = f"insider/{deed}/clinic/Images"
    clinic = Clinic()
    assert answer(clinic, question).verdict is Verdict.PROVED
    strangers = clinic.statement("Images", "Strangers")
    del strangers["Action"]
    strangers["NotAction"] = action
    left = answer(clinic, question)
    assert left.verdict is Verdict.BROKEN
    assert {step.request.action for step in left.steps} == {action}
