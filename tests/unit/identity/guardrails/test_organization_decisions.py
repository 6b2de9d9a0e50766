"""The organization's guardrails, asked as decisions: each Deny, and what still works beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from secure_ml_constructs.identity.guardrails import OrganizationGuardrails
from secure_ml_constructs.verification.proofs.iam import Decision, Kind, Policies, decide, parse
from secure_ml_constructs.verification.proofs.iam import Request as OurRequest
from tests.support.decisions import ALLOW_ALL, Request, Simulator
from tests.support.templates import ACCOUNT, REGION
from tests.unit.identity.guardrails.work import (
    BREAK_GLASS,
    DEPLOYING,
    GUARDRAILS,
    IAM,
    LEGITIMATE,
    PERIMETER,
    PIPELINE,
    SCIENTIST,
    arn,
    named,
)

pytestmark = [pytest.mark.decision, pytest.mark.slow]

ORGANIZATION = "o-a1b2c3d4e5"
FOREIGN = "999988887777"
ADMINISTRATOR = f"{IAM}/ml-administrator"
INSIDER = f"{IAM}/developer"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
GIVEN = OrganizationGuardrails(
    perimeter=PERIMETER,
    regions=(REGION, "eu-west-1"),
    endpoints=(ENDPOINT,),
    sign_in_ranges=("203.0.113.0/24",),
    sagemaker=GUARDRAILS,
)
SCPS, RCPS = GIVEN.scps(), GIVEN.rcps()
Context = Mapping[str, Any]
HERE: Context = {"aws:SourceVpce": ENDPOINT}
OPEN: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
OPEN_TO_ACCOUNT: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "*",
            "Resource": "*",
        }
    ],
}
# What the simulator's data does not list for every action, though every request carries it.
# AWS attaches FullAWSAccess and its like by itself.
EVERYWHERE = ("aws:RequestedRegion", "aws:ResourceOrgID", "aws:SourceVpce")


def allowed(
    simulator: Simulator,
    principal: str,
    action: str,
    resource: str,
    context: Context | None = None,
    *,
    organization: str | None = ORGANIZATION,
    resource_account: str = ACCOUNT,
) -> bool:
    """Whether a principal with every permission may: the simulator and our evaluator agree."""
    request = Request(
        principal=principal,
        action=action,
        resource=resource,
        resource_account=resource_account,
        organization=organization,
        context={"aws:RequestedRegion": REGION, **(context or {})},
    )
    policy = OPEN_TO_ACCOUNT if ":kms:" in resource else None
    theirs = simulator.decide(
        request,
        identity=(ALLOW_ALL,),
        resource_policy=policy,
        scp=(ALLOW_ALL, *SCPS),
        ignore=EVERYWHERE,
    ).allowed
    asked = request.simulation()["contextVariables"]
    policies = Policies(
        identity=(parse(ALLOW_ALL, Kind.IDENTITY, "everything"),),
        resource=parse(policy, Kind.RESOURCE, "key policy") if policy else None,
        scps=(tuple(parse(each, Kind.SCP, f"SCP {index}") for index, each in enumerate(SCPS)),),
    )
    ours = decide(policies, OurRequest.of(principal, action, resource, asked))
    assert isinstance(ours, Decision), ours
    assert ours.allowed == theirs, (ours, theirs)
    return theirs


def passes(simulator: Simulator, action: str, resource: str, *who: str, **context: Any) -> list[str]:
    """Who of some people may."""
    given = {key.replace("_", ":", 1): value for key, value in context.items()}
    return [each for each in who if allowed(simulator, each, action, resource, given)]


HANDING = f"{IAM}/cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}"
EVERYBODY = (INSIDER, SCIENTIST, PIPELINE, ADMINISTRATOR, BREAK_GLASS, DEPLOYING, HANDING)
ROLE = f"{IAM}/secure-ml/training"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-0000-0000-0000-000000000001"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
SERVED = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/risk"
COMPONENT = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:inference-component/partner-a"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/hospital-ml-lake/1"
ADMINISTERING = (ADMINISTRATOR, BREAK_GLASS, DEPLOYING)


@pytest.mark.parametrize(
    ("action", "resource", "who"),
    [
        ("iam:CreateRole", ROLE, ADMINISTERING),
        ("iam:AttachRolePolicy", ROLE, ADMINISTERING),
        ("iam:DetachRolePolicy", ROLE, ADMINISTERING),
        ("iam:PutRolePolicy", ROLE, ADMINISTERING),
        ("iam:DeleteRolePermissionsBoundary", ROLE, ADMINISTERING),
        ("iam:PutRolePermissionsBoundary", ROLE, ADMINISTERING),
        ("iam:UpdateAssumeRolePolicy", ROLE, ADMINISTERING),
        ("iam:DeleteRole", ROLE, ADMINISTERING),
        ("iam:UpdateAssumeRolePolicy", BREAK_GLASS, ADMINISTERING),
        ("iam:AttachRolePolicy", DEPLOYING, ADMINISTERING),
        ("iam:CreateRole", f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1", ADMINISTERING),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/secure-ml/guardrail", ADMINISTERING),
        ("iam:CreateRole", f"{IAM}/somebody-elses", EVERYBODY),
        ("iam:AttachRolePolicy", f"{IAM}/somebody-elses", EVERYBODY),
        ("iam:GetRole", ROLE, EVERYBODY),
        ("iam:PassRole", ROLE, (SCIENTIST, PIPELINE, *ADMINISTERING)),
        ("iam:PassRole", f"{IAM}/somebody-elses", EVERYBODY[:-1]),
        # Whoever passes the deploying role to a stack, or changes one that has it, deploys.
        ("iam:PassRole", DEPLOYING, (HANDING, *ADMINISTERING)),
        ("iam:PassRole", BREAK_GLASS, ADMINISTERING),
        ("iam:AttachRolePolicy", HANDING, ADMINISTERING),
        ("cloudformation:CreateChangeSet", STACK, (HANDING, *ADMINISTERING)),
        ("cloudformation:ExecuteChangeSet", STACK, (HANDING, *ADMINISTERING)),
        ("cloudformation:UpdateStack", STACK, (HANDING, *ADMINISTERING)),
        ("cloudformation:DeleteStack", STACK, (HANDING, *ADMINISTERING)),
        ("sagemaker:InvokeEndpoint", SERVED, (SCIENTIST, PIPELINE, *ADMINISTERING)),
        ("sagemaker:UpdateEndpoint", SERVED, (SCIENTIST, PIPELINE, *ADMINISTERING)),
        ("sagemaker:DeleteInferenceComponent", COMPONENT, (SCIENTIST, PIPELINE, *ADMINISTERING)),
        ("sagemaker:DescribeEndpoint", SERVED, EVERYBODY),
        ("cloudformation:DescribeStacks", STACK, EVERYBODY),
        ("cloudtrail:StopLogging", TRAIL, (DEPLOYING,)),
        ("cloudtrail:DeleteTrail", TRAIL, (DEPLOYING,)),
        ("cloudtrail:UpdateTrail", TRAIL, (DEPLOYING,)),
        ("cloudtrail:PutEventSelectors", TRAIL, (DEPLOYING,)),
        ("cloudtrail:GetTrailStatus", TRAIL, EVERYBODY),
        ("logs:DeleteLogGroup", GROUP, (DEPLOYING,)),
        ("logs:DeleteLogStream", f"{GROUP[:-2]}:log-stream:one", (DEPLOYING,)),
        ("logs:PutRetentionPolicy", GROUP, (DEPLOYING,)),
        ("logs:DisassociateKmsKey", GROUP, (DEPLOYING,)),
        ("logs:PutLogEvents", f"{GROUP[:-2]}:log-stream:one", EVERYBODY),
        ("logs:CreateLogGroup", GROUP, EVERYBODY),
        ("ec2:CreateRoute", f"{EC2}:route-table/rtb-0a1b2c3d", ADMINISTERING),
        ("ec2:AttachInternetGateway", f"{EC2}:vpc/vpc-0a1b2c3d", ADMINISTERING),
        ("ec2:AuthorizeSecurityGroupEgress", f"{EC2}:security-group/sg-0a1b2c3d", ADMINISTERING),
        ("ec2:ModifyVpcEndpoint", f"{EC2}:vpc-endpoint/vpce-0a1b2c3d", ADMINISTERING),
        ("ec2:DeleteFlowLogs", f"{EC2}:vpc-flow-log/fl-0a1b2c3d", ADMINISTERING),
        ("ec2:CreateNatGateway", f"{EC2}:natgateway/*", ADMINISTERING),
        ("ec2:CreateVpcPeeringConnection", f"{EC2}:vpc/vpc-0a1b2c3d", ADMINISTERING),
        # What SageMaker does in the VPC with the role of a job.
        ("ec2:CreateNetworkInterface", f"{EC2}:subnet/subnet-0a1b2c3d", EVERYBODY),
        ("ec2:DeleteNetworkInterface", f"{EC2}:network-interface/eni-0a1b2c3d", EVERYBODY),
        ("s3:PutBucketPolicy", "arn:aws:s3:::lake", ADMINISTERING),
        ("s3:DeleteBucket", "arn:aws:s3:::lake", ADMINISTERING),
        ("s3:PutBucketObjectLockConfiguration", "arn:aws:s3:::archive", ADMINISTERING),
        ("s3:PutLifecycleConfiguration", "arn:aws:s3:::archive", ADMINISTERING),
        ("s3:PutBucketVersioning", "arn:aws:s3:::lake", ADMINISTERING),
        ("s3:GetBucketPolicy", "arn:aws:s3:::lake", EVERYBODY),
        ("kms:ScheduleKeyDeletion", KEY, ADMINISTERING),
        ("kms:PutKeyPolicy", KEY, ADMINISTERING),
        ("kms:DescribeKey", KEY, EVERYBODY),
        (
            "codeartifact:PutDomainPermissionsPolicy",
            f"arn:aws:codeartifact:{REGION}:{ACCOUNT}:domain/packages",
            ADMINISTERING,
        ),
        (
            "codeartifact:DeleteRepositoryPermissionsPolicy",
            f"arn:aws:codeartifact:{REGION}:{ACCOUNT}:repository/packages/packages",
            ADMINISTERING,
        ),
        (
            "codeartifact:ReadFromRepository",
            f"arn:aws:codeartifact:{REGION}:{ACCOUNT}:repository/packages/packages",
            EVERYBODY,
        ),
        ("guardduty:DeleteDetector", f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/one", ADMINISTERING),
        (
            "securityhub:DisableSecurityHub",
            f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default",
            ADMINISTERING,
        ),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/me", ()),
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/me", ()),
        ("iam:CreateServiceSpecificCredential", f"arn:aws:iam::{ACCOUNT}:user/me", ()),
        ("iam:UpdateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/me", EVERYBODY),
        ("iam:DeleteAccessKey", f"arn:aws:iam::{ACCOUNT}:user/me", EVERYBODY),
        ("bedrock:CallWithBearerToken", "*", ()),
        ("organizations:LeaveOrganization", "*", ()),
        ("organizations:DescribeOrganization", "*", EVERYBODY),
    ],
)
def test_who_changes_what(simulator: Simulator, action: str, resource: str, who: Sequence[str]) -> None:
    assert set(passes(simulator, action, resource, *EVERYBODY, aws_SourceVpce=ENDPOINT)) == set(who)


def test_who_destroys_versions(simulator: Simulator) -> None:
    made = passes(
        simulator,
        "s3:DeleteObjectVersion",
        "arn:aws:s3:::lake/raw/x",
        *EVERYBODY,
        aws_SourceVpce=ENDPOINT,
        aws_ResourceOrgID=ORGANIZATION,
    )
    assert set(made) == {ADMINISTRATOR, BREAK_GLASS}


def test_a_role_of_another_region_or_account_is_no_deploying_role(simulator: Simulator) -> None:
    for name in (f"{ACCOUNT}-us-east-1", f"{FOREIGN}-{REGION}", "me"):
        other = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{name}"
        assert not allowed(simulator, other, "cloudtrail:StopLogging", TRAIL)
    second = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1"
    assert allowed(simulator, second, "cloudtrail:StopLogging", TRAIL)


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_other_partitions(partition: str) -> None:
    def there(name: str) -> str:
        return name.replace("arn:aws:", f"arn:{partition}:")

    for principal, passes in ((DEPLOYING, True), (INSIDER, False)):
        asked = {"aws:RequestedRegion": REGION}
        assert scp_allows(there(principal), "cloudtrail:StopLogging", there(TRAIL), asked) is passes
        assert scp_allows(there(principal), "iam:CreateRole", there(ROLE), asked) is passes


# -- the root user, regions ----------------------------------------------------------------------------


def scp_allows(principal: str, action: str, resource: str, context: Context) -> bool:
    """Our evaluator alone: the simulator's data does not know every key."""
    policies = Policies(
        identity=(parse(ALLOW_ALL, Kind.IDENTITY, "everything"),),
        scps=(tuple(parse(each, Kind.SCP, f"SCP {index}") for index, each in enumerate(SCPS)),),
    )
    answer = decide(policies, OurRequest.of(principal, action, resource, context))
    assert isinstance(answer, Decision), answer
    return answer.allowed


def test_the_root_user_does_nothing_but_what_the_organization_opens() -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    asked: Context = {
        "aws:PrincipalArn": root,
        "aws:RequestedRegion": REGION,
        "aws:ResourceOrgID": ORGANIZATION,
        "aws:ResourceAccount": ACCOUNT,
    }
    assert not scp_allows(root, "ec2:DescribeVpcs", "*", asked)
    assert not scp_allows(root, "s3:ListBucket", "arn:aws:s3:::lake", asked)
    # A session for a task, which only the organization's management opens (sts:AssumeRoot).
    assert scp_allows(root, "ec2:DescribeVpcs", "*", {**asked, "aws:AssumedRoot": "true"})


@pytest.mark.parametrize(
    ("action", "resource", "region", "passes"),
    [
        ("sagemaker:ListModels", "*", REGION, True),
        ("sagemaker:ListModels", "*", "eu-west-1", True),
        ("sagemaker:ListModels", "*", "us-east-1", False),
        ("ec2:RunInstances", f"{EC2}:instance/*", "us-east-1", False),
        ("bedrock:InvokeModel", "arn:aws:bedrock:eu-north-1::foundation-model/x", "eu-north-1", False),
        ("s3:CreateBucket", "arn:aws:s3:::elsewhere", "us-east-1", False),
        ("iam:GetRole", f"{IAM}/developer", "us-east-1", True),
        ("sts:GetSessionToken", "*", "us-east-1", True),
        ("support:DescribeCases", "*", "us-east-1", True),
        ("s3:ListAllMyBuckets", "*", "us-east-1", True),
        ("ec2:DescribeRegions", "*", "us-east-1", True),
    ],
)
def test_regions(simulator: Simulator, action: str, resource: str, region: str, passes: bool) -> None:
    context = {"aws:RequestedRegion": region, "aws:ResourceOrgID": ORGANIZATION}
    for principal in (INSIDER, ADMINISTRATOR, DEPLOYING):
        assert allowed(simulator, principal, action, resource, context) is passes


# -- the data perimeter of identities ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "arn:aws:s3:::theirs/x"),
        ("s3:GetObject", "arn:aws:s3:::theirs/x"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{FOREIGN}:queue"),
        ("sts:AssumeRole", f"arn:aws:iam::{FOREIGN}:role/theirs"),
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{FOREIGN}:key/0a1b2c3d-0000-0000-0000-000000000001"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{FOREIGN}:function:theirs"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{FOREIGN}:secret:theirs"),
        ("ecr:PutImage", f"arn:aws:ecr:{REGION}:{FOREIGN}:repository/theirs"),
    ],
)
def test_nothing_goes_to_others(action: str, resource: str) -> None:
    where = {**HERE, "aws:RequestedRegion": REGION}
    for principal in (INSIDER, SCIENTIST, DEPLOYING):
        theirs = {**where, "aws:PrincipalArn": principal, "aws:ResourceOrgID": "o-zzzzzzzzzz"}
        policies = Policies(
            identity=(parse(ALLOW_ALL, Kind.IDENTITY, "everything"),),
            resource=parse(OPEN, Kind.RESOURCE, "theirs"),
            scps=(tuple(parse(each, Kind.SCP, "SCP") for each in SCPS),),
        )
        for context, expected in ((theirs, False), ({**theirs, "aws:ResourceOrgID": ORGANIZATION}, True)):
            context = {**context, "aws:ResourceAccount": FOREIGN}
            answer = decide(policies, OurRequest.of(principal, action, resource, context))
            assert isinstance(answer, Decision)
            assert answer.allowed is expected


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"arn:aws:s3:::jumpstart-cache-prod-{REGION}/model"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}::parameter/aws/service/ami"),
        # Deep-learning images of AWS.
        ("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:763104351884:repository/pytorch-training"),
        ("ecr:GetDownloadUrlForLayer", f"arn:aws:ecr:{REGION}:763104351884:repository/pytorch-training"),
    ],
)
def test_what_aws_owns_is_read(action: str, resource: str) -> None:
    theirs = {**HERE, "aws:RequestedRegion": REGION, "aws:ResourceAccount": "763104351884"}
    policies = Policies(
        identity=(parse(ALLOW_ALL, Kind.IDENTITY, "everything"),),
        resource=parse(OPEN, Kind.RESOURCE, "theirs"),
        scps=(tuple(parse(each, Kind.SCP, "SCP") for each in SCPS),),
    )
    context = {**theirs, "aws:ResourceOrgID": "o-zzzzzzzzzz"}
    answer = decide(policies, OurRequest.of(SCIENTIST, action, resource, context))
    assert isinstance(answer, Decision)
    assert answer.allowed


DATA = (
    ("s3:GetObject", "arn:aws:s3:::lake/raw/x"),
    ("s3:PutObject", "arn:aws:s3:::lake/raw/x"),
    ("s3:ListBucket", "arn:aws:s3:::lake"),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database"),
    ("sagemaker:InvokeEndpoint", arn("endpoint")),
    ("sagemaker:GetRecord", arn("feature-group")),
    ("athena:StartQueryExecution", f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/audit"),
)


@pytest.mark.parametrize(("action", "resource"), DATA)
def test_a_stolen_session_does_nothing_with_data_from_elsewhere(
    simulator: Simulator, action: str, resource: str
) -> None:
    def ask(principal: str, **context: Any) -> bool:
        given = {key.replace("_", ":", 1): value for key, value in context.items()}
        return allowed(simulator, principal, action, resource, {"aws:ResourceOrgID": ORGANIZATION, **given})

    assert ask(SCIENTIST, aws_SourceVpce=ENDPOINT)
    assert not ask(SCIENTIST)
    assert not ask(SCIENTIST, aws_SourceVpce="vpce-0fffffffffffffff0")
    # What a service asks for on the scientist's behalf carries no network.
    assert ask(SCIENTIST, aws_ViaAWSService="true")
    # SageMaker starts a pipeline's steps with its role.
    assert ask(PIPELINE)
    assert ask(f"{IAM}/secure-ml/service/replication")
    # Other roles are held by the policies of what they reach; endpoints have none.
    assert ask(INSIDER) is (action != "sagemaker:InvokeEndpoint")


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("CreatePresignedDomainUrl", "user-profile"),
        ("CreatePresignedNotebookInstanceUrl", "notebook-instance"),
        ("CreatePresignedMlflowTrackingServerUrl", "mlflow-tracking-server"),
    ],
)
def test_signing_in_from_known_places(simulator: Simulator, action: str, kind: str) -> None:
    def ask(principal: str, **context: Any) -> bool:
        given = {key.replace("_", ":", 1): value for key, value in context.items()}
        where = {"aws:ResourceOrgID": ORGANIZATION, **given}
        return allowed(simulator, principal, f"sagemaker:{action}", arn(kind), where)

    assert ask(SCIENTIST, aws_SourceVpce=ENDPOINT)
    assert ask(SCIENTIST, aws_SourceIp="203.0.113.7")
    assert not ask(SCIENTIST, aws_SourceIp="198.51.100.7")
    assert not ask(SCIENTIST, aws_SourceVpce="vpce-0fffffffffffffff0", aws_SourceIp="10.0.0.1")
    # A pipeline has nobody to sign in.
    assert not ask(PIPELINE, aws_SourceIp="198.51.100.7")


def test_ranges_to_sign_in_from_open_no_data(simulator: Simulator) -> None:
    where = {"aws:ResourceOrgID": ORGANIZATION, "aws:SourceIp": "203.0.113.7"}
    assert not allowed(simulator, SCIENTIST, "s3:GetObject", "arn:aws:s3:::lake/raw/x", where)


def test_what_is_no_data_needs_no_endpoint(simulator: Simulator) -> None:
    for action, kind in (("DescribeTrainingJob", "training-job"), ("StopTrainingJob", "training-job")):
        assert allowed(simulator, SCIENTIST, f"sagemaker:{action}", arn(kind))


def test_sagemaker_work_is_held_by_the_organization_as_well(simulator: Simulator) -> None:
    kind, context = LEGITIMATE["CreateTrainingJob"]
    action, resource = "sagemaker:CreateTrainingJob", arn(kind)
    given = named(context, second=True)
    assert allowed(simulator, INSIDER, action, resource, given)
    for key in ("sagemaker:NetworkIsolation", "sagemaker:VpcSubnets", "sagemaker:OutputKmsKeyArn"):
        without = {name: value for name, value in given.items() if name != key}
        assert not allowed(simulator, INSIDER, action, resource, without)


# -- the data perimeter of resources -------------------------------------------------------------------


RESOURCES = (
    ("s3:GetObject", "arn:aws:s3:::lake/raw/x"),
    ("kms:Decrypt", KEY),
    ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database-AbCdEf"),
)


@pytest.mark.parametrize(("action", "resource"), RESOURCES)
def test_nobody_from_outside_reaches_our_resources(simulator: Simulator, action: str, resource: str) -> None:
    def ask(principal: str | None, organization: str | None, **context: Any) -> bool:
        given = {key.replace("_", ":", 1): value for key, value in context.items()}
        if organization:
            given["aws:PrincipalOrgID"] = organization
        request = Request(principal=principal, action=action, resource=resource, context=given)
        ignore = (*EVERYWHERE, "aws:SourceOrgID", "aws:SourceAccount", "aws:PrincipalOrgID")
        theirs = simulator.decide(
            request,
            identity=(ALLOW_ALL,) if principal else (),
            resource_policy=OPEN,
            rcp=RCPS,
            ignore=ignore,
        ).allowed
        policies = Policies(
            identity=(parse(ALLOW_ALL, Kind.IDENTITY, "everything"),),
            resource=parse(OPEN, Kind.RESOURCE, "open"),
            rcps=(tuple(parse(each, Kind.RCP, "RCP") for each in RCPS),),
        )
        asked = request.simulation()["contextVariables"]
        ours = decide(policies, OurRequest.of(principal, action, resource, asked))
        assert isinstance(ours, Decision), ours
        assert ours.allowed == theirs, (principal, given)
        return theirs

    stranger = f"arn:aws:iam::{FOREIGN}:role/stranger"
    assert ask(SCIENTIST, ORGANIZATION)
    assert ask(stranger, ORGANIZATION)
    assert not ask(stranger, "o-zzzzzzzzzz")
    assert not ask(stranger, None)
    assert not ask(None, None)
    assert not ask(SCIENTIST, ORGANIZATION, aws_SecureTransport="false")
    # A service that says for whom it acts acts for us; one that does not say is let through.
    service = "logs.amazonaws.com"
    assert ask(service, None, aws_SourceAccount=ACCOUNT, aws_SourceOrgID=ORGANIZATION)
    assert not ask(service, None, aws_SourceAccount=FOREIGN, aws_SourceOrgID="o-zzzzzzzzzz")
    assert not ask(service, None, aws_SourceAccount=FOREIGN)
    assert ask(service, None)


def test_roles_are_assumed_from_within_and_by_identity_providers() -> None:
    """Whoever signs in by an identity provider has no organization yet."""
    policies = Policies(
        resource=parse(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
                    {
                        "Effect": "Allow",
                        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/hospital"},
                        "Action": "sts:AssumeRoleWithSAML",
                    },
                ],
            },
            Kind.RESOURCE,
            "trust",
        ),
        identity=(parse(ALLOW_ALL, Kind.IDENTITY, "everything"),),
        rcps=(tuple(parse(each, Kind.RCP, "RCP") for each in RCPS),),
    )

    def ask(principal: Any, action: str, **context: Any) -> bool:
        given = {key.replace("_", ":", 1): value for key, value in context.items()}
        answer = decide(policies, OurRequest.of(principal, action, ROLE, given))
        assert isinstance(answer, Decision), answer
        return answer.allowed

    assert ask(SCIENTIST, "sts:AssumeRole", aws_PrincipalOrgID=ORGANIZATION)
    stranger = f"arn:aws:iam::{FOREIGN}:role/stranger"
    assert not ask(stranger, "sts:AssumeRole", aws_PrincipalOrgID="o-zzzzzzzzzz")
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/hospital"}
    assert ask(provider, "sts:AssumeRoleWithSAML")
