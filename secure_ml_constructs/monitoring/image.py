"""The image that OpenMonitor runs in, built within the environment from its own packages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from aws_cdk import Fn, Names, RemovalPolicy, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from secure_ml_constructs._acknowledge import NAMED_BY_AWS, NO_RESOURCE, acknowledge, acknowledge_wildcards
from secure_ml_constructs._cdk import account, child_path, is_token, partition, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.identity.execution import PULL
from secure_ml_constructs.key_uses import KeyClass
from secure_ml_constructs.monitoring.image_source import digest, source
from secure_ml_constructs.network.ecr_image import EcrImage, trusted_accounts
from secure_ml_constructs.policy import Document, Statement, allow, deny, document, sub
from secure_ml_constructs.storage import PackageRepository

__all__ = ["MonitorImage"]

# AWS CodeBuild: "Docker images provided by CodeBuild". Of it the build uses pip, Docker and the AWS CLI.
_BUILDER = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
_PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
_ADMINISTRATION = (
    "ecr:BatchDeleteImage",
    "ecr:DeleteLifecyclePolicy",
    "ecr:DeleteRepository",
    "ecr:DeleteRepositoryPolicy",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
)
_EC2 = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"
_DOCKER = (
    "A build of a container image needs Docker, and Docker in CodeBuild needs a privileged container (AWS "
    "CodeBuild: Docker sample). It runs our own script alone, in the isolated subnets."
)
_REPO_URL = [f"{pack}::{pack}-CodeBuildProjectSourceRepoUrl" for pack in ("HIPAA.Security", "PCI.DSS.321")]
_NO_REPOSITORY = (
    "The source is an object in S3 that deployment puts there, read with the role. There is no repository to "
    "sign in to; the rule takes an address that is known at deployment only for one."
)


class MonitorImage(Construct):
    """The image of `OpenMonitor`: built in the VPC from our packages, scanned, and found by its tag.

    The tag stands for all that the image is made of and never moves. A build gives it when the scan has found
    nothing critical; whoever wants the image and does not find the tag starts a build. Nothing comes from the
    internet: packages from the environment's repository, pinned by hash, the base from a registry in ECR.

    Ensures:
        M1: what looks at captures is code that is known, in an image by its digest.
        E3: the registry and the build under the customer key, its log too.
        N8: packages from the environment's repository only.
        D3: no outsiders pull; the build alone pushes.

    Args:
        scope: The parent construct.
        id: The construct's id.
        foundation: What the environment's roles share.
        packages: Where its packages come from; it needs a source for pip.
        base: An image with Python 3.13 for x86-64 Linux with glibc 2.28 or newer, by digest
            (`<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:…`): of this account, of one that
            the perimeter names, or of AWS's registries.

    Raises:
        ConfigurationError: A base by tag, of another region or of an unknown account.

    Example:
        >>> registry = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
        >>> image = MonitorImage(
        ...     stack,
        ...     "MonitorImage",
        ...     foundation=foundation,
        ...     packages=packages,
        ...     base=f"{registry}/python@sha256:{'0' * 64}",
        ... )
    """

    #: The repository's name.
    repository_name: str
    #: Its ARN.
    repository_arn: str
    #: Its address, without a tag.
    repository_uri: str
    #: The image's tag, from what it is made of.
    tag: str
    #: The name of the CodeBuild project.
    project_name: str
    #: Its ARN.
    project_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        foundation: RoleFoundation,
        packages: PackageRepository,
        base: str,
    ) -> None:
        problems = Problems()
        pulled = _check_base(problems, foundation, base)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._foundation = foundation
        self.tag = hashlib.sha256(f"{digest()} {base}".encode()).hexdigest()[:20]
        # The policy of the role names the repository, and the repository's the role.
        self.repository_name = Names.unique_resource_name(self, max_length=120, separator="-").lower()
        self.repository_arn = (
            f"arn:{partition()}:ecr:{region()}:{account()}:repository/{self.repository_name}"
        )
        key = foundation.keys.arn(KeyClass.MODEL)
        log = logs.CfnLogGroup(
            self, "Log", kms_key_id=foundation.keys.arn(KeyClass.LOGS), retention_in_days=365
        )
        log.apply_removal_policy(RemovalPolicy.RETAIN)
        files = source(self, "Source")
        role, policy = self._role(
            [
                *packages.read_statements(),
                allow("Source", ("s3:GetObject", "s3:GetObjectVersion"), _object_arn(files)),
                allow("SignIn", "ecr:GetAuthorizationToken"),
                allow("Base", PULL, pulled),
                allow(
                    "Image",
                    (*PULL, *_PUSH, "ecr:DescribeImages", "ecr:DescribeImageScanFindings"),
                    self.repository_arn,
                ),
                allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), log.attr_arn),
                *self._interfaces(),
                # What the script asks, it asks in the VPC. The source and the log are CodeBuild's own doing.
                deny(
                    "FromElsewhere",
                    (*PULL, *_PUSH, "codeartifact:*"),
                    principal=None,
                    condition=foundation.perimeter.from_elsewhere(foundation.network.deferred_endpoint_ids),
                ),
            ]
        )
        repository = ecr.CfnRepository(
            self,
            "Repository",
            repository_name=self.repository_name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=ecr.CfnRepository.ImageScanningConfigurationProperty(
                scan_on_push=True
            ),
            encryption_configuration=ecr.CfnRepository.EncryptionConfigurationProperty(
                encryption_type="KMS", kms_key=key
            ),
            repository_policy_text=self._repository_policy(role.attr_arn),
            # Images with a tag stay: what a job ran is looked up by them.
            lifecycle_policy=ecr.CfnRepository.LifecyclePolicyProperty(
                lifecycle_policy_text=json.dumps(_UNTAGGED)
            ),
        )
        repository.apply_removal_policy(RemovalPolicy.RETAIN)
        self.repository_uri = repository.attr_repository_uri
        project = self._project(role, policy, log, files, packages, base)
        self.project_name, self.project_arn = project.ref, project.attr_arn

    def _role(self, statements: list[Statement]) -> tuple[iam.CfnRole, iam.CfnManagedPolicy]:
        perimeter = self._foundation.perimeter
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            path=perimeter.role_path,
            policy_document=document(statements),
        )
        acknowledge_wildcards(
            policy,
            {"*": NO_RESOURCE, f"{_EC2}network-interface/*": NAMED_BY_AWS},
        )
        role = iam.CfnRole(
            self,
            "Role",
            # It works by the network's endpoints, as any role of the environment.
            path=perimeter.watch_role_path,
            assume_role_policy_document=perimeter.service_trust("codebuild.amazonaws.com"),
            # The boundary of work lets nobody push images; this one is exactly what a build does.
            permissions_boundary=policy.ref,
            managed_policy_arns=[policy.ref],
        )
        return role, policy

    def _interfaces(self) -> Iterator[Statement]:
        # AWS CodeBuild: "Allow users to create a VPC network interface".
        yield allow(
            "Interfaces",
            (
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ),
        )
        subnets = self._foundation.network.isolated_subnet_ids
        head = f"arn:{partition()}:ec2:{region()}:{account()}:subnet/"
        yield allow(
            "InterfacesToBuilds",
            "ec2:CreateNetworkInterfacePermission",
            sub(f"{_EC2}network-interface/*"),
            condition={
                "ArnEquals": {"ec2:Subnet": [f"{head}{each}" for each in subnets]},
                "StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
            },
        )

    def _repository_policy(self, role: str) -> Document:
        perimeter = self._foundation.perimeter
        pushing: dict[str, Any] = perimeter.not_roles(())
        pushing["ArnNotEqualsIfExists"] = {"aws:PrincipalArn": role}
        watching = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{perimeter.watch_role_path}*"
        pulling = (watching, *perimeter.break_glass_roles)
        # Nothing about networks: SageMaker pulls from outside the VPC, with the role of the job.
        statements = [
            perimeter.deny_outsiders("ecr:*", "*"),
            deny("DenyPushing", _PUSH, condition=pushing),
            deny("DenyPulling", PULL, condition=perimeter.not_roles(pulling)),
            perimeter.deny_administration(_ADMINISTRATION, "*"),
        ]
        # A repository's policy names no resource. (Amazon ECR: Private repository policies)
        for each in statements:
            del each["Resource"]
        return document(statements)

    def _project(
        self,
        role: iam.CfnRole,
        policy: iam.CfnManagedPolicy,
        log: logs.CfnLogGroup,
        files: assets.Asset,
        packages: PackageRepository,
        base: str,
    ) -> codebuild.CfnProject:
        project, network = codebuild.CfnProject, self._foundation.network
        told = {
            "BASE": Fn.sub(base) if "${AWS::" in base else base,
            "REPOSITORY": self.repository_name,
            "REPOSITORY_URI": self.repository_uri,
            "TAG": self.tag,
            "PACKAGES_DOMAIN": packages.domain_name,
            "PACKAGES_INDEX": packages.pip_index,
        }
        made = project(
            self,
            "Project",
            description="Builds and scans the image of OpenMonitor",
            # CloudFormation's validation (E3050) takes Fn::GetAtt of a role with a path for a Ref.
            service_role=Fn.sub(f"${{{role.logical_id}.Arn}}"),
            encryption_key=self._foundation.keys.arn(KeyClass.MODEL),
            source=project.SourceProperty(
                type="S3",
                location=f"{files.s3_bucket_name}/{files.s3_object_key}",
                build_spec=json.dumps(_BUILDSPEC),
            ),
            artifacts=project.ArtifactsProperty(type="NO_ARTIFACTS"),
            environment=project.EnvironmentProperty(
                type="LINUX_CONTAINER",
                compute_type="BUILD_GENERAL1_SMALL",
                image=_BUILDER,
                privileged_mode=True,
                environment_variables=[
                    project.EnvironmentVariableProperty(name=name, value=value, type="PLAINTEXT")
                    for name, value in told.items()
                ],
            ),
            logs_config=project.LogsConfigProperty(
                cloud_watch_logs=project.CloudWatchLogsConfigProperty(status="ENABLED", group_name=log.ref)
            ),
            vpc_config=project.VpcConfigProperty(
                vpc_id=network.vpc_id,
                subnets=list(network.isolated_subnet_ids),
                security_group_ids=[network.workload_security_group_id],
            ),
            concurrent_build_limit=1,
            queued_timeout_in_minutes=60,
            timeout_in_minutes=30,
            visibility="PRIVATE",
        )
        # CodeBuild looks at the network with the role when the project is made.
        made.add_resource_dependency(policy)
        acknowledge(made, ["AwsSolutions::AwsSolutions-CB3", "SecureMl::CodeBuildHardened"], _DOCKER)
        acknowledge(made, _REPO_URL, _NO_REPOSITORY)
        return made


_UNTAGGED = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "What has no tag",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 30,
            },
            "action": {"type": "expire"},
        }
    ]
}
_BUILDSPEC = {
    "version": 0.2,
    "env": {"shell": "bash"},
    "phases": {
        "build": {"commands": ['BUILD_NUMBER="$CODEBUILD_BUILD_NUMBER" bash open_monitor_image/build.sh']}
    },
}


def _check_base(problems: Problems, foundation: RoleFoundation, base: str) -> Any:
    """Give the ARN of the base's repository; record a base that is a stranger's, or out of reach."""
    accounts = trusted_accounts(foundation, foundation.perimeter)
    found = EcrImage.check(problems, "base", base, accounts=accounts)
    if found is None:
        return ""
    here = Stack.of(foundation).region
    if not found.region.startswith("$") and not is_token(here) and found.region != here:
        reason = f"The network reaches the registry of {here} only."
        problems.add("base", base, reason, "Copy the image into a repository of this region.")
    return found.repository_arn()


def _object_arn(files: assets.Asset) -> str:
    return f"arn:{partition()}:s3:::{files.s3_bucket_name}/{files.s3_object_key}"
