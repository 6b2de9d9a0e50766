"""What the principals of the environment's accounts can't do: statements of service control policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from secure_ml_constructs.perimeter import (
    BUCKET_ADMINISTRATION,
    LISTING_ACTIONS,
    OBJECT_ACTIONS,
    DataPerimeter,
)
from secure_ml_constructs.policy import Condition, Statement, deny, sub, subs

# AWS Organizations User Guide, "Deny access to AWS based on the requested AWS Region": what answers in one
# region whichever is asked for, as far as people of an ML environment come by it.
GLOBAL_ACTIONS = (
    *("account:*", "billing:*", "budgets:*", "ce:*", "cloudfront:*", "consolidatedbilling:*"),
    *("ec2:DescribeRegions", "freetier:*", "globalaccelerator:*", "health:*", "iam:*", "invoicing:*"),
    *("networkmanager:*", "notifications:*", "organizations:*", "payments:*", "pricing:*", "route53:*"),
    *("route53domains:*", "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets"),
    *("s3:PutAccountPublicAccessBlock", "shield:*", "sts:*", "support:*", "supportplans:*", "tax:*"),
    *("trustedadvisor:*", "waf:*", "wafv2:*", "wellarchitected:*"),
)
# IAM User Guide, "Actions, resources, and condition keys for IAM": what lasts beyond a session. Not what also
# switches one off: iam:UpdateAccessKey.
LONG_LIVED = (
    *("bedrock:CallWithBearerToken", "iam:CreateAccessKey", "iam:CreateLoginProfile"),
    *("iam:CreateServiceSpecificCredential", "iam:CreateUser", "iam:ResetServiceSpecificCredential"),
    *("iam:UpdateLoginProfile", "iam:UploadSSHPublicKey", "iam:UploadSigningCertificate"),
    "sagemaker:CallWithBearerToken",
)
# What carries data away when it is done to a resource of somebody else's, or brings theirs in.
ON_FOREIGN_RESOURCES = (
    *("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem"),
    *("dynamodb:UpdateItem", "ecr:InitiateLayerUpload", "ecr:PutImage", "events:PutEvents"),
    *("firehose:PutRecord*", "kinesis:PutRecord*", "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt"),
    *("kms:GenerateDataKey*", "kms:ReEncrypt*", "lambda:InvokeFunction", "logs:PutLogEvents"),
    *("s3:AbortMultipartUpload", "s3:DeleteObject*", "s3:GetObject*", "s3:ListBucket", "s3:PutObject*"),
    *("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "sns:Publish"),
    *("sqs:ReceiveMessage", "sqs:SendMessage", "ssm:GetParameter*", "sts:AssumeRole"),
)
# What opens the data: outside the environment's endpoints no session of its roles can.
FROM_INSIDE = (
    *("athena:GetQueryResults*", "athena:StartQueryExecution", *OBJECT_ACTIONS, *LISTING_ACTIONS),
    *("sagemaker:BatchGetRecord", "sagemaker:GetRecord", "sagemaker:InvokeEndpoint*"),
    "secretsmanager:GetSecretValue",
)
# What gives an address that signs one in.
SIGN_IN = ("sagemaker:CreatePresigned*",)
ROLE_CHANGES = (
    *("iam:AttachRolePolicy", "iam:CreatePolicy*", "iam:CreateRole", "iam:DeletePolicy*"),
    *("iam:DeleteRole*", "iam:DetachRolePolicy", "iam:PutRole*", "iam:SetDefaultPolicyVersion"),
    *("iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole*"),
)
TRAIL_CHANGES = (
    *("cloudtrail:DeleteEventDataStore", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors"),
    *("cloudtrail:PutInsightSelectors", "cloudtrail:RemoveTags", "cloudtrail:StopEventDataStoreIngestion"),
    *("cloudtrail:StopLogging", "cloudtrail:UpdateEventDataStore", "cloudtrail:UpdateTrail"),
    *("logs:DeleteDataProtectionPolicy", "logs:DeleteDelivery*", "logs:DeleteLogGroup"),
    *("logs:DeleteLogStream", "logs:DeleteRetentionPolicy", "logs:DeleteSubscriptionFilter"),
    *("logs:DisassociateKmsKey", "logs:PutLogGroupDeletionProtection", "logs:PutRetentionPolicy"),
)
# Amazon EC2, likewise: what gives a subnet a way out, a group a neighbour, or an endpoint another policy.
NETWORK_CHANGES = (
    *("ec2:AcceptTransitGateway*", "ec2:AcceptVpcPeeringConnection", "ec2:AssociateRouteTable"),
    *("ec2:AttachInternetGateway", "ec2:AttachVpnGateway", "ec2:AuthorizeSecurityGroup*"),
    *("ec2:CreateDefault*", "ec2:CreateEgressOnlyInternetGateway", "ec2:CreateInternetGateway"),
    *("ec2:CreateNatGateway", "ec2:CreateNetworkAcl*", "ec2:CreateRoute*", "ec2:CreateTransitGateway*"),
    *("ec2:CreateVpc*", "ec2:CreateVpn*", "ec2:DeleteFlowLogs", "ec2:DeleteNetworkAcl*"),
    *("ec2:DeleteRoute*", "ec2:DeleteVpcBlockPublicAccessExclusion", "ec2:DeleteVpcEndpoint*"),
    *("ec2:DisassociateRouteTable", "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute"),
    *("ec2:ModifyVpc*", "ec2:ReplaceNetworkAcl*", "ec2:ReplaceRoute*", "ec2:RevokeSecurityGroup*"),
    *("network-firewall:Associate*", "network-firewall:Delete*", "network-firewall:Disassociate*"),
    *("network-firewall:Update*", "route53resolver:Delete*", "route53resolver:Disassociate*"),
    "route53resolver:UpdateFirewall*",
)
# A stack works with the role that it was given, whoever updates it (AWS CloudFormation User Guide, "AWS
# CloudFormation service role").
STACK_CHANGES = (
    *("cloudformation:ContinueUpdateRollback", "cloudformation:CreateChangeSet"),
    *("cloudformation:CreateStack*", "cloudformation:DeleteStack*", "cloudformation:Execute*"),
    *("cloudformation:ImportStacksToStackSet", "cloudformation:RollbackStack"),
    *("cloudformation:SetStackPolicy", "cloudformation:UpdateStack*"),
    "cloudformation:UpdateTerminationProtection",
)
KEY_CHANGES = (
    *("kms:DeleteImportedKeyMaterial", "kms:DisableKey*", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"),
    "kms:UpdatePrimaryRegion",
)
# AWS CodeArtifact, "Repository policies": no policy is asked about its own replacement.
PACKAGE_CHANGES = (
    *("codeartifact:DeleteDomainPermissionsPolicy", "codeartifact:DeleteRepositoryPermissionsPolicy"),
    *("codeartifact:PutDomainPermissionsPolicy", "codeartifact:PutRepositoryPermissionsPolicy"),
)
# An endpoint of SageMaker has no policy of its own.
MODEL_USES = (
    *("sagemaker:DeleteEndpoint", "sagemaker:DeleteInferenceComponent", "sagemaker:InvokeEndpoint*"),
    *("sagemaker:UpdateEndpoint*", "sagemaker:UpdateInferenceComponent*"),
)
DETECTION_CHANGES = (
    *("access-analyzer:DeleteAnalyzer", "config:DeleteConfigurationRecorder"),
    *("config:DeleteDeliveryChannel", "config:StopConfigurationRecorder", "guardduty:DeleteDetector"),
    *("guardduty:DisassociateFrom*", "guardduty:UpdateDetector", "inspector2:Disable"),
    *("macie2:DisableMacie", "macie2:UpdateMacieSession", "securityhub:DisableSecurityHub"),
)


def identity_statements(perimeter: DataPerimeter, regions: Sequence[str]) -> Iterator[Statement]:
    """Whom nobody is, where nobody works, and where nobody's data goes. (I7, I10, C4)"""
    # A session that the management account opens for a task (sts:AssumeRoot) is no sign-in as root.
    root: Condition = {
        "ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:root"},
        "Null": {"aws:AssumedRoot": "true"},
    }
    yield _deny("RootUser", "*", root)
    yield _deny("LongLivedCredentials", (*LONG_LIVED, "organizations:LeaveOrganization"), None)
    elsewhere = _deny("OtherRegions", (), {"StringNotEquals": {"aws:RequestedRegion": list(regions)}})
    del elsewhere["Action"]
    yield {**elsewhere, "NotAction": list(GLOBAL_ACTIONS)}
    foreign = _deny("ForeignResources", ON_FOREIGN_RESOURCES, perimeter.trusted("Resource", negate=True))
    del foreign["Resource"]
    services = {action.partition(":")[0] for action in ON_FOREIGN_RESOURCES}
    owned = [
        arn
        for each in perimeter.aws_owned
        if not each.signed_by_aws and services & {action.partition(":")[0] for action in each.actions}
        for arn in each.resources
    ]
    yield {**foreign, "NotResource": subs(owned)} if owned else {**foreign, "Resource": "*"}


def network_statements(
    perimeter: DataPerimeter,
    endpoints: Sequence[str],
    *,
    sign_in_ranges: Sequence[str],
    pipelines: Sequence[str],
) -> Iterator[Statement]:
    """From where the environment's roles reach data, and sign in. (I10, S1)"""
    # Of the exceptions only the ways in which AWS itself calls: it speaks of the environment's own roles.
    calls = tuple(each for each in perimeter.exceptions if each.context_key)
    own = replace(perimeter, exceptions=calls)
    roles = perimeter.roles([perimeter.environment_roles])
    # A pipeline's steps are started by SageMaker with the pipeline's role, outside every VPC.
    data = own.deny_foreign_networks(FROM_INSIDE, "*", endpoints=endpoints, also=pipelines)
    sign_in = own.deny_foreign_networks(SIGN_IN, "*", endpoints=endpoints, sid="DenySignInFromElsewhere")
    if sign_in_ranges:
        sign_in["Condition"]["NotIpAddressIfExists"] = {"aws:SourceIp": list(sign_in_ranges)}
    for statement in (data, sign_in):
        del statement["Principal"]
        statement["Condition"].update(roles)
        yield statement


def protecting_statements(perimeter: DataPerimeter) -> Iterator[Statement]:
    """What stays as it was deployed. (I3, I10, A1, A2, N1, E1)"""
    deploying = perimeter.not_roles(perimeter.deploying_roles)
    administering = perimeter.not_roles(perimeter.administering)
    # AWS CDK, "Bootstrapping": the role that hands the deploying one to CloudFormation.
    handing = [
        role.replace("-cfn-exec-role-", "-deploy-role-")
        for role in perimeter.deploying_roles
        if "-cfn-exec-role-" in role
    ]
    powerful = (*perimeter.administering, *perimeter.erasure_roles, *handing)
    policies = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy{perimeter.role_path}*"
    own = dict.fromkeys((perimeter.environment_roles, *powerful, policies))
    yield _deny("Roles", ROLE_CHANGES, administering, resources=subs(own))
    # The environment's own roles pass the ones that their identity policies name.
    passing = perimeter.not_roles((*perimeter.administering, perimeter.environment_roles))
    yield _deny("PassRole", "iam:PassRole", passing, resources=sub(perimeter.environment_roles))
    deployers = perimeter.not_roles((*perimeter.administering, *handing))
    yield _deny("PassPower", "iam:PassRole", deployers, resources=subs(dict.fromkeys(powerful)))
    if handing:
        # Who hands the deploying role on hands on no other.
        others = _deny("PassOthers", "iam:PassRole", perimeter.roles(handing))
        del others["Resource"]
        yield {**others, "NotResource": subs(perimeter.deploying_roles)}
    yield _deny("Stacks", STACK_CHANGES, deployers)
    yield _deny("TrailAndLogs", TRAIL_CHANGES, deploying)
    yield _deny("Network", NETWORK_CHANGES, administering)
    yield _deny("Buckets", (*BUCKET_ADMINISTRATION, "s3:PutAccountPublicAccessBlock"), administering)
    # Not the change of versioning: whoever deploys a bucket turns it on.
    destroying = perimeter.not_roles(perimeter.destroying)
    yield _deny("Versions", ("s3:BypassGovernanceRetention", "s3:DeleteObjectVersion*"), destroying)
    yield _deny("Keys", KEY_CHANGES, administering)
    yield _deny("Packages", PACKAGE_CHANGES, administering)
    # What the environment's roles are granted decides which of them reach a model past its door.
    yield _deny("Models", MODEL_USES, passing)
    yield _deny("Detection", DETECTION_CHANGES, administering)


def _deny(
    sid: str, actions: Sequence[str] | str, condition: Condition | None, *, resources: object = "*"
) -> Statement:
    return deny(sid, actions, resources, principal=None, condition=condition)
