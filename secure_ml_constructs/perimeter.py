"""Who may reach the environment's resources, from where, and which exceptions stand.

A `DataPerimeter` is a value. Every endpoint policy, bucket policy, key policy and role trust takes its
statements from here, so that no construct writes a network or identity condition of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.perimeter_entries import (
    DEFAULT_AWS_OWNED,
    DEFAULT_EXCEPTIONS,
    AwsOwnedResource,
    PerimeterException,
    check_role_arns,
)
from secure_ml_constructs.policy import (
    Condition,
    Document,
    Statement,
    allow,
    deny,
    document,
    for_our_account,
    service_trust,
    subs,
)

__all__ = [
    "BUCKET_ADMINISTRATION",
    "LISTING_ACTIONS",
    "OBJECT_ACTIONS",
    "VERSION_DESTRUCTION",
    "AwsOwnedResource",
    "DataPerimeter",
    "PerimeterException",
]

_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_ACCOUNT_ID = re.compile(r"\d{12}")
_ROLE_PATH = re.compile(r"/(?:[\w+=,.@-]+/)+", re.ASCII)

OWN_ACCOUNT = "${AWS::AccountId}"
CDK_EXECUTION_ROLE = (
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
    "cdk-hnb659fds-cfn-exec-role-${AWS::AccountId}-${AWS::Region}"
)

# S3 actions that touch what a bucket holds. What is left is configuration.
OBJECT_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject*",
    "s3:GetObject*",
    "s3:InitiateReplication",
    "s3:ListMultipartUploadParts",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutObject*",
    "s3:Replicate*",
    "s3:RestoreObject",
    "s3:UpdateObjectEncryption",
)
LISTING_ACTIONS = ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions")
BUCKET_ADMINISTRATION = (
    "s3:CreateAccessPoint",
    "s3:CreateBucketMetadataTableConfiguration",
    "s3:DeleteBucket*",
    "s3:PutAccelerateConfiguration",
    "s3:PutAccessPointPolicy",
    "s3:PutAnalyticsConfiguration",
    "s3:PutBucket*",
    "s3:PutEncryptionConfiguration",
    "s3:PutIntelligentTieringConfiguration",
    "s3:PutInventoryConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutMetricsConfiguration",
    "s3:PutReplicationConfiguration",
)
VERSION_DESTRUCTION = ("s3:DeleteObjectVersion", "s3:DeleteObjectVersionTagging", "s3:PutBucketVersioning")


@dataclass(frozen=True, kw_only=True)
class DataPerimeter:
    """The trusted identities, the named roles and the exceptions that every policy is derived from.

    ARNs may hold `${AWS::Partition}`, `${AWS::AccountId}` and `${AWS::Region}`, so that one perimeter serves
    an environment whose account is not known at synth.

    Ensures:
        N3: endpoint policies let only trusted principals reach trusted resources.
        D3: data is reached from the environment's endpoints, with exceptions that are named here.
        I3: service trusts carry the source account.

    Args:
        organization: An AWS Organizations id (`o-…`) whose accounts are trusted. Default: none.
        accounts: Trusted account ids. Default: the environment's own account only.
        role_path: The IAM path of every role of the environment. Default: `/secure-ml/`.
        administrators: Roles that administer keys and buckets, and never use the data.
        deploying_roles: Roles that CloudFormation works with. Default: the CDK bootstrap's execution role.
        break_glass_roles: Roles for emergencies; let through everywhere, watched by the trail.
        erasure_roles: Roles that may destroy versions to erase a person's records.
        exceptions: Who passes the network condition. Default: `DEFAULT_EXCEPTIONS`.
        aws_owned: AWS's own resources that endpoint policies let through. Default: `DEFAULT_AWS_OWNED`.

    Raises:
        ConfigurationError: An id, path or ARN that is none, or a pattern that would name every role.

    Example:
        >>> perimeter = DataPerimeter(
        ...     organization="o-a1b2c3d4e5",
        ...     administrators=("arn:aws:iam::111122223333:role/ml-platform-admin",),
        ... )
    """

    organization: str | None = None
    accounts: tuple[str, ...] = ()
    role_path: str = "/secure-ml/"
    administrators: tuple[str, ...] = ()
    deploying_roles: tuple[str, ...] = (CDK_EXECUTION_ROLE,)
    break_glass_roles: tuple[str, ...] = ()
    erasure_roles: tuple[str, ...] = ()
    exceptions: tuple[PerimeterException, ...] = DEFAULT_EXCEPTIONS
    aws_owned: tuple[AwsOwnedResource, ...] = DEFAULT_AWS_OWNED

    def __post_init__(self) -> None:
        problems = Problems()
        if self.organization is not None and not _ORGANIZATION_ID.fullmatch(self.organization):
            problems.add(
                "organization",
                self.organization,
                "This is no AWS Organizations id.",
                "Write 'o-' and 10 to 32 lower-case letters or digits.",
            )
        for index, account in enumerate(self.accounts):
            if not _ACCOUNT_ID.fullmatch(account):
                problems.add(
                    f"accounts[{index}]",
                    account,
                    "This is no account id.",
                    "Write the 12 digits as a string.",
                )
        if not _ROLE_PATH.fullmatch(self.role_path) or len(self.role_path) > 64:
            problems.add(
                "role_path",
                self.role_path,
                "A role path starts and ends with '/', is not the root, and has at most 64 characters.",
                "Write for instance '/secure-ml/'.",
            )
        for argument in ("administrators", "deploying_roles", "break_glass_roles", "erasure_roles"):
            check_role_arns(problems, argument, getattr(self, argument))
        if not self.deploying_roles:
            problems.add(
                "deploying_roles",
                self.deploying_roles,
                "Without one, CloudFormation could never change a policy again.",
                "Name the role that your deployments use, or leave the argument out.",
            )
        for index, exception in enumerate(self.exceptions):
            check_role_arns(problems, f"exceptions[{index}].principals", exception.principals)
            if exception.context_key not in (None, "aws:ViaAWSService", "aws:PrincipalIsAWSService"):
                problems.add(
                    f"exceptions[{index}].context_key",
                    exception.context_key,
                    "No statement of the perimeter reads this key.",
                    "Write 'aws:ViaAWSService' or 'aws:PrincipalIsAWSService'.",
                )
            if len(exception.reason) < 20:
                problems.add(
                    f"exceptions[{index}].reason",
                    exception.reason,
                    "An exception needs a reason that an auditor can judge.",
                    "Write a sentence.",
                )
        problems.raise_if_any("DataPerimeter")

    # -- who -----------------------------------------------------------------------------------------

    @property
    def environment_roles(self) -> str:
        """The ARN pattern of every role of the environment."""
        return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{self.role_path}*"

    @property
    def service_role_path(self) -> str:
        """The IAM path of roles that only AWS services assume, outside the VPC (replication, log export)."""
        return f"{self.role_path}service/"

    @property
    def watch_role_path(self) -> str:
        """The IAM path of roles that build and run what looks at models: they alone pull its image."""
        return f"{self.role_path}watch/"

    @property
    def service_roles(self) -> PerimeterException:
        """The exception for roles under `service_role_path`."""
        return PerimeterException(
            name="service-assumed roles of the environment",
            reason="Replication, feature-store writes and the like are made by AWS with a role of ours and "
            "no VPC context; the trust names the service and our account, the role names its buckets.",
            principals=(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{self.service_role_path}*",),
        )

    @property
    def administering(self) -> tuple[str, ...]:
        """Roles that may change configuration: administrators, deploying and break-glass roles."""
        return _unique(*self.administrators, *self.deploying_roles, *self.break_glass_roles)

    @property
    def destroying(self) -> tuple[str, ...]:
        """Roles that may destroy object versions: administrators, erasure and break-glass roles."""
        return _unique(*self.administrators, *self.erasure_roles, *self.break_glass_roles)

    def all_exceptions(self) -> tuple[PerimeterException, ...]:
        """Everyone whom the network condition lets through."""
        emergency = (
            PerimeterException(
                name="break-glass",
                reason="Emergencies may have to be met from outside the VPC; the trail records each use.",
                principals=self.break_glass_roles,
            ),
        )
        return (*self.exceptions, self.service_roles, *(emergency if self.break_glass_roles else ()))

    def trusted(self, subject: str, *, negate: bool = False) -> Condition:
        """Give the condition that `subject` (`Principal` or `Resource`) is one of ours.

        Args:
            subject: `Principal` or `Resource`.
            negate: Give the condition that it is not.
        """
        operator = "StringNotEquals" if negate else "StringEquals"
        if self.organization:
            return {operator: {f"aws:{subject}OrgID": self.organization}}
        accounts = subs(_unique(OWN_ACCOUNT, *self.accounts))
        return {operator: {f"aws:{subject}Account": accounts if len(accounts) > 1 else accounts[0]}}

    # -- bucket and other resource policies ----------------------------------------------------------

    def deny_plain_transport(self, actions: str, resources: Sequence[Any]) -> list[Statement]:
        """Deny requests without TLS, and with TLS older than 1.2 where the service reports it. (E2)"""
        statements = [
            deny(
                "DenyPlainTransport", actions, resources, condition={"Bool": {"aws:SecureTransport": "false"}}
            )
        ]
        if actions.startswith("s3:"):
            old = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
            statements.append(deny("DenyOldTls", actions, resources, condition=old))
        return statements

    def deny_outsiders(self, actions: Sequence[str] | str, resources: Sequence[Any]) -> Statement:
        """Deny every principal that is neither ours nor an AWS service. (D3)"""
        condition = self.trusted("Principal", negate=True)
        condition["BoolIfExists"] = {"aws:PrincipalIsAWSService": "false"}
        return deny("DenyOutsiders", actions, resources, condition=condition)

    def deny_foreign_networks(
        self,
        actions: Sequence[str] | str,
        resources: Sequence[Any],
        *,
        endpoints: Sequence[str],
        also: Iterable[str] = (),
        sid: str = "DenyForeignNetworks",
    ) -> Statement:
        """Deny requests that come by none of the endpoints, save for the perimeter's exceptions. (D3)

        Args:
            actions: The actions that touch data. Configuration is held by `deny_administration`.
            resources: The ARNs the statement stands on.
            endpoints: Ids of the VPC endpoints the environment calls from.
            also: Further role ARNs let through, for these actions only.
            sid: The statement's id.
        """
        return deny(sid, actions, resources, condition=self.from_elsewhere(endpoints, also))

    def deny_other_endpoints(
        self, actions: Sequence[str] | str, resources: Any, *, endpoints: Sequence[str]
    ) -> Statement:
        """Deny every request that comes by none of the endpoints, whoever makes it: for private APIs. (G7)

        Args:
            actions: The actions.
            resources: What the statement stands on.
            endpoints: Ids of the VPC endpoints by which it may come.
        """
        # True as well where a request comes by no endpoint at all.
        elsewhere = {"StringNotEquals": {"aws:SourceVpce": list(endpoints)}}
        return deny("DenyOtherEndpoints", actions, resources, condition=elsewhere)

    def from_elsewhere(self, endpoints: Sequence[str], also: Iterable[str] = ()) -> Condition:
        """Give the condition that a request comes by none of the endpoints, and is no exception. (D3)

        Args:
            endpoints: Ids of the VPC endpoints the environment calls from.
            also: Further role ARNs let through.
        """
        exceptions = self.all_exceptions()
        principals = [arn for exception in exceptions for arn in exception.principals]
        keys = [exception.context_key for exception in exceptions if exception.context_key]
        # IfExists: a request from the internet has no SourceVpce at all and must be denied as well.
        condition: Condition = {"StringNotEqualsIfExists": {"aws:SourceVpce": list(endpoints)}}
        if keys:
            condition["BoolIfExists"] = dict.fromkeys(keys, "false")
        condition["ArnNotLikeIfExists"] = {"aws:PrincipalArn": subs(_unique(*principals, *also))}
        return condition

    def deny_administration(self, actions: Sequence[str], resources: Sequence[Any]) -> Statement:
        """Deny changes of configuration to all but the administering roles. (D3)"""
        return deny("DenyAdministration", actions, resources, condition=self.not_roles(self.administering))

    def deny_destruction(self, actions: Sequence[str], resources: Sequence[Any]) -> Statement:
        """Deny destroying versions to all but the administrator, erasure and break-glass roles. (D4)"""
        return deny("DenyDestruction", actions, resources, condition=self.not_roles(self.destroying))

    def not_roles(self, roles: Iterable[str]) -> Condition:
        """Give the condition that the caller is none of these roles; AWS services do not count as callers."""
        condition: Condition = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
        patterns = subs(_unique(*roles))
        if patterns:
            condition["ArnNotLikeIfExists"] = {"aws:PrincipalArn": patterns}
        return condition

    def roles(self, roles: Iterable[str]) -> Condition:
        """Give the condition that the caller is one of these roles."""
        return {"ArnLike": {"aws:PrincipalArn": subs(_unique(*roles))}}

    # -- VPC endpoints -------------------------------------------------------------------------------

    def endpoint_policy(
        self,
        service: str,
        *,
        anonymous_resources: Sequence[Any] = (),
        aws_owned: Iterable[AwsOwnedResource] = (),
    ) -> Document:
        """Give the policy of a VPC endpoint: our principals, our resources, and AWS's own by name. (N3)

        Args:
            service: The service as in its endpoint name, without region (`s3`, `sagemaker.api`).
            anonymous_resources: ARNs of ours that may be called without IAM identity: private APIs whose
                callers are known by a token.
            aws_owned: AWS's own resources that depend on where the endpoint stands, beside the perimeter's.
        """
        ours: Condition = {
            "StringEquals": {
                **self.trusted("Principal")["StringEquals"],
                **self.trusted("Resource")["StringEquals"],
            }
        }
        statements = [allow("OurPrincipalsOnOurResources", "*", principal="*", condition=ours)]
        if anonymous_resources:
            statements.append(
                allow("OurApisByToken", "execute-api:Invoke", list(anonymous_resources), principal="*")
            )
        for owned in (*self.aws_owned, *aws_owned):
            if owned.service != service:
                continue
            condition: Condition = {} if owned.signed_by_aws else self.trusted("Principal")
            if owned.accounts:
                condition.setdefault("StringEquals", {})["aws:ResourceAccount"] = owned.accounts
            sid = f"AwsOwned{owned.name}"
            resources = subs(owned.resources)
            statements.append(allow(sid, owned.actions, resources, principal="*", condition=condition))
        return document(statements)

    # -- role trust ----------------------------------------------------------------------------------

    def service_trust(self, service: str, *, source_arn: str | None = None) -> Document:
        """Give the trust policy of a role that one AWS service assumes for our account only. (I3)

        Args:
            service: The service principal (`sagemaker.amazonaws.com`).
            source_arn: A pattern for the resource that the service acts for, with CloudFormation
                placeholders. Default: any resource of the account.
        """
        return service_trust(service, for_our_account(source_arn))

    def service_trust_without_source(self, service: str) -> Document:
        """Give the trust policy of a role for a service that is not documented to send its source.

        A condition on a key that is not sent refuses the service itself. What holds such a role is that only
        a principal of its own account can pass it (`iam:PassRole`), and that it can do next to nothing.

        Args:
            service: The service principal (`s3.amazonaws.com`, when it replicates).
        """
        return service_trust(service, None)


def _unique(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
