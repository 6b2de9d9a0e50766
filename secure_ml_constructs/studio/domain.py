"""A Studio domain: where teams work, and out of which nothing leads."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Names, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge
from secure_ml_constructs._cdk import account, child_path, may_lose_data, partition, region
from secure_ml_constructs.errors import ConfigurationError, Problem, Problems
from secure_ml_constructs.identity import RoleFoundation, TeamRoles
from secure_ml_constructs.identity.team_roles import work_trust
from secure_ml_constructs.keys import EnvironmentKeys, KeyClass
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import deny, document
from secure_ml_constructs.studio.apps import HIDDEN_TOOLS, SHORTEST_IDLE_MINUTES, StudioApps
from secure_ml_constructs.studio.cleanup import MAY_GO, RETAINED, StudioCleanup
from secure_ml_constructs.studio.home import StudioHome
from secure_ml_constructs.studio.sign_in import StudioAuth
from secure_ml_constructs.studio.tags import without_tags
from secure_ml_constructs.studio.team import StudioTeam, StudioUser, check_team

_Domain = sagemaker.CfnDomain
# What an app calls before anybody has written a line: without one of them it starts, and then hangs or fails
# with an error that names something else. (Amazon SageMaker AI Developer Guide: Connect Amazon SageMaker
# Studio in a VPC to External Resources)
_NEEDED = ("sagemaker.api", "sagemaker.runtime", "sts", "logs", "kms")

_ASKED_FOR = (
    "StudioHome.efs() asks for it by name. It is under the workspace key; where the removal of the domain is "
    "asked for, the mount targets and groups that SageMaker leaves behind are cleared away after it."
)


class SecureStudioDomain(Construct):
    """A SageMaker Studio domain in isolated subnets, under a customer key, for people who are known by name.

    Ensures:
        S1: `VpcOnly`, under the workspace key; sign-in by IAM Identity Center, or by IAM from the
            environment's endpoints and named ranges only.
        S2: the domain's own role can do nothing: what somebody may do is their team's.
        S3: idle shutdown; instance types limited; Docker and notebook sharing off; other apps hidden.
        S5: no file system that holds the VPC; people's work is kept unless losing it is asked for twice.
        I5: sign-in by IAM Identity Center, or IAM.
        I9: the user profile is the source identity of all that an app does.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted.
        keys: The environment's keys.
        network: The network, with the endpoints that apps need.
        auth: `StudioAuth.identity_center()` or `StudioAuth.iam(...)`; it can't be changed later.
        apps: Which apps, on which machines. Default: `StudioApps()`.
        home: `StudioHome.volumes()` or `StudioHome.efs()`. Default: volumes only.
        removal_policy: `DESTROY` deletes domain, spaces and their volumes with the stack, apps first; it
            needs the context flag `secure-ml:allow-data-loss` as well. Default: `RETAIN`.

    Raises:
        ConfigurationError: An endpoint that apps need is missing; destruction without the flag.

    Example:
        >>> studio = SecureStudioDomain(
        ...     stack, "Studio", perimeter=perimeter, keys=keys, network=vpc,
        ...     auth=StudioAuth.identity_center(),
        ... )
    """

    #: The domain's id.
    domain_id: str
    #: The domain's ARN.
    domain_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        keys: EnvironmentKeys,
        network: MlNetwork,
        auth: StudioAuth,
        apps: StudioApps | None = None,
        home: StudioHome | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        home = home or StudioHome.volumes()
        problems = Problems()
        _check_endpoints(problems, network, auth)
        if removal_policy is not RemovalPolicy.RETAIN and not may_lose_data(scope):
            problems.add(
                "removal_policy",
                removal_policy.name,
                "People's work would be lost with the stack.",
                "Leave the argument out, or set the context flag 'secure-ml:allow-data-loss' as well.",
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        self.keys = keys
        self.network = network
        self.auth = auth
        self.apps = apps or StudioApps()
        self.removal_policy = removal_policy

        self._role_arn = self._default_role()
        self.cleanup: StudioCleanup | None = None
        if removal_policy is RemovalPolicy.DESTROY:
            self.cleanup = StudioCleanup(
                self,
                "Cleanup",
                perimeter=perimeter,
                keys=keys,
                network=network,
                file_system=home.file_system,
            )
        domain = _Domain(
            self,
            "Resource",
            # CloudFormation wants a name; it is made of the path, so that no two domains share one.
            domain_name=Names.unique_resource_name(self, max_length=63, separator="-"),
            auth_mode=auth.mode,
            app_network_access_type="VpcOnly",
            vpc_id=network.vpc_id,
            subnet_ids=list(network.isolated_subnet_ids),
            kms_key_id=keys.arn(KeyClass.WORKSPACE),
            home_efs_file_system_creation="Enabled" if home.file_system else "Disabled",
            tag_propagation="DISABLED",
            domain_settings=_Domain.DomainSettingsProperty(
                docker_settings=_Domain.DockerSettingsProperty(enable_docker_access="DISABLED"),
                execution_role_identity_config="USER_PROFILE_NAME",
            ),
            default_user_settings=self._user_settings(home),
            # Of spaces that several people share. Nobody is granted one; made by hand, it could do nothing.
            default_space_settings=_Domain.DefaultSpaceSettingsProperty(
                execution_role=self._role_arn, security_groups=[network.workload_security_group_id]
            ),
        )
        if home.file_system:
            acknowledge(domain, "SecureMl::SageMakerDomainHomeFileSystem", _ASKED_FOR)
        without_tags(domain)
        domain.apply_removal_policy(removal_policy)
        if self.cleanup:
            self.cleanup.after(domain)
            acknowledge(self, RETAINED, MAY_GO)
        self.domain_id = domain.attr_domain_id
        self.domain_arn = domain.attr_domain_arn
        #: Who works here, by team and name.
        self.people: dict[tuple[str, str], StudioUser] = {}

    def add_team(
        self,
        name: str,
        *,
        foundation: RoleFoundation,
        users: Sequence[str | StudioUser],
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
        scope: Construct | None = None,
    ) -> StudioTeam:
        """Make a team: its roles, and a profile and private spaces for each of its people. (S2)

        Args:
            name: The team's name: up to 20 lower-case letters, digits and hyphens.
            foundation: What every team's roles stand on.
            users: Its people, as `StudioUser` or, for data scientists, by their names.
            reads: Names of the zones that it reads. Default: none.
            writes: Names of the zones that it writes. Default: none.
            scope: Where it is made, for instance a stack of the team's own. Default: this domain.

        Raises:
            ConfigurationError: Whatever `StudioTeam` and `TeamRoles` refuse.
        """
        scope = scope or self
        # Before the roles are made: nothing is left of a team that is refused.
        check_team(self, name, users, child_path(scope, name))
        if foundation.perimeter != self.perimeter:
            problem = Problem(
                "foundation",
                foundation.node.path,
                "It was made for another perimeter than this domain.",
                "Make both with the same one.",
            )
            raise ConfigurationError(str(child_path(scope, name)), [problem])
        roles = TeamRoles(
            scope, f"{name}-roles", foundation=foundation, team=name, reads=reads, writes=writes
        )
        return StudioTeam(scope, name, studio=self, roles=roles, users=users)

    def arn(self, kind: str, path: str) -> str:
        """Give the ARN of something in the domain.

        Args:
            kind: `app`, `space` or `user-profile`.
            path: What follows the domain's id; may hold wildcards.
        """
        return f"arn:{partition()}:sagemaker:{region()}:{account()}:{kind}/{self.domain_id}/{path}"

    @property
    def sign_in_endpoint_ids(self) -> tuple[str, ...]:
        """The endpoints by which people sign in and their browsers reach Studio."""
        ids = self.network.endpoint_ids
        return tuple(ids[name] for name in ("sagemaker.api", "sagemaker.studio") if name in ids)

    def _default_role(self) -> str:
        # A domain has to name a role, and a profile without one of its own would work with it.
        nothing = iam.CfnManagedPolicy(
            self,
            "Nothing",
            path=self.perimeter.role_path,
            policy_document=document([deny("Nothing", "*", principal=None)]),
        )
        role = iam.CfnRole(
            self,
            "DefaultRole",
            path=self.perimeter.role_path,
            assume_role_policy_document=work_trust(self.perimeter),
            permissions_boundary=nothing.ref,
        )
        return role.attr_arn

    def _user_settings(self, home: StudioHome) -> sagemaker.CfnDomain.UserSettingsProperty:
        apps = self.apps
        lifecycle = _Domain.AppLifecycleManagementProperty(
            idle_settings=_Domain.IdleSettingsProperty(
                lifecycle_management="ENABLED",
                idle_timeout_in_minutes=apps.idle_minutes,
                min_idle_timeout_in_minutes=SHORTEST_IDLE_MINUTES,
                max_idle_timeout_in_minutes=apps.longest_idle_minutes,
            )
        )
        machine = _Domain.ResourceSpecProperty(instance_type=apps.default_instance_type)
        return _Domain.UserSettingsProperty(
            execution_role=self._role_arn,
            security_groups=[self.network.workload_security_group_id],
            auto_mount_home_efs="Enabled" if home.file_system else "Disabled",
            default_landing_uri="studio::",
            studio_web_portal="ENABLED",
            studio_web_portal_settings=_Domain.StudioWebPortalSettingsProperty(
                hidden_app_types=apps.hidden_apps,
                hidden_instance_types=apps.hidden_types,
                hidden_ml_tools=list(HIDDEN_TOOLS),
            ),
            sharing_settings=_Domain.SharingSettingsProperty(notebook_output_option="Disabled"),
            # Both, whichever is offered: what is made by hand is shut down as well.
            jupyter_lab_app_settings=_Domain.JupyterLabAppSettingsProperty(
                app_lifecycle_management=lifecycle, default_resource_spec=machine
            ),
            code_editor_app_settings=_Domain.CodeEditorAppSettingsProperty(
                app_lifecycle_management=lifecycle, default_resource_spec=machine
            ),
            space_storage_settings=_Domain.DefaultSpaceStorageSettingsProperty(
                default_ebs_storage_settings=_Domain.DefaultEbsStorageSettingsProperty(
                    default_ebs_volume_size_in_gb=apps.volume_gb,
                    maximum_ebs_volume_size_in_gb=apps.largest_volume_gb,
                )
            ),
        )


def _check_endpoints(problems: Problems, network: MlNetwork, auth: StudioAuth) -> None:
    needed = (*_NEEDED, "sagemaker.studio") if auth.mode == "IAM" else _NEEDED
    missing = [name for name in needed if name not in network.endpoint_ids]
    if not network.s3_endpoint_ids:
        missing.append("s3")
    if missing:
        problems.add(
            "network",
            f"without endpoints for {', '.join(missing)}",
            "Apps would start, and then hang or fail with errors that name something else.",
            "Take EndpointProfile.STUDIO, or name them in Endpoints(extra=...).",
        )
