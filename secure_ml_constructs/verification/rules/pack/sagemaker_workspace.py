"""Studio: domains, profiles, spaces, apps and images."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    KEY,
    PRESENT,
    SUPPLY_CHAIN,
    WALLET,
    approved_bucket,
    customer_key,
    instance_type,
    pinned_image,
)
from secure_ml_constructs.verification.rules.predicates import Bounded, Equals, Missing, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, Every, When, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import secret_in
from secure_ml_constructs.verification.templates import Pseudo, Reference, Text, show

_DOMAIN = "AWS::SageMaker::Domain"
_PROFILE = "AWS::SageMaker::UserProfile"
_SPACE = "AWS::SageMaker::Space"
_APP_IMAGE = "AWS::SageMaker::AppImageConfig"
_IDLE = "AppSettings.AppLifecycleManagement.IdleSettings"
_domain = partial(Rule, resource_type=_DOMAIN)
_profile = partial(Rule, resource_type=_PROFILE)


def _sharing(settings: str) -> AnyOf:
    option = f"{settings}.SharingSettings.NotebookOutputOption"
    return AnyOf(At(option, absent_or("Disabled")), At(f"{settings}.SharingSettings.S3KmsKeyId", KEY))


def _idle(app: str) -> At:
    return At(f"DefaultUserSettings.{app}{_IDLE}.LifecycleManagement", Equals("ENABLED"))


def _signed_in(context: Context) -> Iterator[Outcome]:
    """A profile of a domain with Identity Center belongs to a user of it."""
    domain = context.graph.get(context.resource, "DomainId")
    if type(domain) is not Reference or domain.resource.type != _DOMAIN:
        return
    if context.graph.get(domain.resource, "AuthMode") != "SSO":
        return
    if not context.graph.get(context.resource, "SingleSignOnUserValue"):
        yield Fail("is not set, so that nobody can be held to it", "SingleSignOnUserValue")


def _same_account(context: Context) -> Iterator[Outcome]:
    for path, value in values(context, "UserSettings.JupyterLabAppSettings.EmrSettings.AssumableRoleArns[*]"):
        if type(value) is Reference:
            continue
        shown = show(value)
        own = type(value) is Text and Pseudo("AWS::AccountId") in value.parts
        account = shown.split(":")[4] if shown.count(":") > 4 else ""
        if not own and account not in context.settings.trusted_accounts:
            yield Fail(f"is {shown}, a role of another account", path)


def _docker_accounts(context: Context) -> Iterator[Outcome]:
    for path, value in values(context, "DomainSettings.DockerSettings.VpcOnlyTrustedAccounts[*]"):
        if value != Pseudo("AWS::AccountId") and show(value) not in context.settings.trusted_accounts:
            yield Fail(f"is {show(value)}, which is not in trusted_accounts", path)


def _container_variables(context: Context) -> Iterator[Outcome]:
    for app in ("JupyterLabAppImageConfig", "CodeEditorAppImageConfig"):
        for path, item in values(context, f"{app}.ContainerConfig.ContainerEnvironmentVariables[*]"):
            if isinstance(item, dict):
                resolve, template = context.graph.resolve, context.resource.template
                name, value = (resolve(template, item.get(part)) for part in ("Key", "Value"))
                found = secret_in(show(name), value)
                if found:
                    yield Fail(found, f"{path}.Value")


RULES = (
    _domain(
        id="SageMakerDomainVpcOnly",
        requirement=At("AppNetworkAccessType", Equals("VpcOnly")),
        severity=ERROR,
        control="S1",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="Studio reaches the network through the VPC only",
        why="Otherwise apps have a way to the internet that no endpoint policy and no firewall sees.",
        fix="Set AppNetworkAccessType to VpcOnly.",
    ),
    customer_key(
        "SageMakerDomainCustomerKey", _DOMAIN, "KmsKeyId", "The volumes and home folders of a domain are"
    ),
    _domain(
        id="SageMakerDomainIdentityCenter",
        requirement=At("AuthMode", Equals("SSO")),
        severity=WARNING,
        control="I5",
        threats=(INSIDER,),
        title="People sign in to Studio by IAM Identity Center",
        why="One place to sign in is one place to demand a second factor and to take access away.",
        fix="Set AuthMode to SSO.",
        off="In IAM mode sign-in can be bound to the VPC's endpoints, which is as good.",
    ),
    _domain(
        id="SageMakerDomainIsolatedSubnets",
        requirement=At("SubnetIds", IsolatedSubnets(2)),
        severity=WARNING,
        control="N1",
        threats=(INSIDER,),
        title="Studio runs in isolated subnets of two zones",
        why="A route to the internet is a way for data to leave and for packages to come in unseen.",
        fix="Set SubnetIds to isolated subnets in two availability zones.",
    ),
    _domain(
        id="SageMakerDomainSecurityGroups",
        requirement=Every(
            At("DefaultUserSettings.SecurityGroups", OurGroups()),
            When(At("DefaultSpaceSettings", PRESENT), At("DefaultSpaceSettings.SecurityGroups", OurGroups())),
        ),
        severity=WARNING,
        control="N4",
        threats=(INSIDER,),
        title="Studio's apps have security groups of their own",
        why="Without them apps get groups that allow more than the endpoints.",
        fix="Set DefaultUserSettings.SecurityGroups, and those of DefaultSpaceSettings where there are any.",
    ),
    _domain(
        id="SageMakerDomainSourceIdentity",
        requirement=At("DomainSettings.ExecutionRoleIdentityConfig", Equals("USER_PROFILE_NAME")),
        severity=WARNING,
        control="I9",
        threats=(INSIDER,),
        title="The trail names the user profile behind each act",
        why="Otherwise the trail shows a shared role and not who used it.",
        fix="Set DomainSettings.ExecutionRoleIdentityConfig to USER_PROFILE_NAME.",
    ),
    _domain(
        id="SageMakerDomainDockerAccess",
        requirement=Every(
            AnyOf(
                At("DomainSettings.DockerSettings.EnableDockerAccess", absent_or("DISABLED")),
                At("DomainSettings.DockerSettings.VpcOnlyTrustedAccounts", PRESENT),
            ),
            Code(_docker_accounts, "Which accounts are trusted is a setting."),
        ),
        severity=WARNING,
        control="S3",
        threats=(SUPPLY_CHAIN, HIJACK),
        title="Docker in Studio is off, or pulls from trusted accounts only",
        why="Any image of any registry would run beside the data.",
        fix="Leave EnableDockerAccess out, or list accounts of the setting trusted_accounts in "
        "VpcOnlyTrustedAccounts.",
    ),
    _domain(
        id="SageMakerDomainNotebookSharing",
        requirement=_sharing("DefaultUserSettings"),
        severity=WARNING,
        control="S3",
        threats=(INSIDER,),
        title="Notebook output is not shared, or only under a customer key",
        why="Shared notebooks carry the data in their output cells into a bucket that more people read.",
        fix="Set NotebookOutputOption to Disabled, or give S3KmsKeyId.",
    ),
    _domain(
        id="SageMakerDomainIdleShutdown",
        requirement=Every(
            _idle("JupyterLab"),
            _idle("CodeEditor"),
            At(f"DefaultSpaceSettings.JupyterLab{_IDLE}.LifecycleManagement", absent_or("ENABLED")),
        ),
        severity=WARNING,
        control="S3",
        threats=(WALLET, HIJACK),
        title="Idle apps are shut down",
        why="An app that nobody looks at costs money, and is a good place to hide.",
        fix="Set IdleSettings.LifecycleManagement to ENABLED for JupyterLab and CodeEditor, and do not turn "
        "it off for shared spaces.",
    ),
    _domain(
        id="SageMakerDomainHomeFileSystem",
        requirement=At("HomeEfsFileSystemCreation", Equals("Disabled")),
        severity=WARNING,
        control="S5",
        threats=(INSIDER,),
        title="A domain makes no file system that outlives it",
        why="The home file system stays when the domain goes: copies of data that nobody looks after, and "
        "mount targets and groups that hold the VPC. The default is Enabled.",
        fix="Set HomeEfsFileSystemCreation to Disabled, or have the network of the file system cleared away "
        "after the domain.",
    ),
    approved_bucket(
        "SageMakerDomainSharedOutputBucket",
        _DOMAIN,
        "DefaultUserSettings.SharingSettings.S3OutputPath",
        "Notebook output that is shared",
        control="S3",
    ),
    approved_bucket(
        "SageMakerDomainFileSystems",
        _DOMAIN,
        "DefaultUserSettings.CustomFileSystemConfigs[*].S3FileSystemConfig.S3Uri",
        "A file system mounted in Studio",
    ),
    _profile(
        id="SageMakerUserProfileExecutionRole",
        requirement=At("UserSettings.ExecutionRole", PRESENT),
        severity=WARNING,
        control="S2",
        threats=(INSIDER,),
        title="A user profile has the role of its team",
        why="Under the domain's one role every team reads what any team may read.",
        fix="Set UserSettings.ExecutionRole to the team's role.",
    ),
    _profile(
        id="SageMakerUserProfileSecurityGroups",
        requirement=AnyOf(
            At("UserSettings.SecurityGroups", Missing()), At("UserSettings.SecurityGroups", OurGroups())
        ),
        severity=WARNING,
        control="N4",
        threats=(INSIDER,),
        title="A user profile's security groups are ours",
        why="A group of the profile takes the place of the domain's.",
        fix="Leave UserSettings.SecurityGroups out, or name groups of the environment.",
    ),
    _profile(
        id="SageMakerUserProfileNotebookSharing",
        requirement=_sharing("UserSettings"),
        severity=WARNING,
        control="S3",
        threats=(INSIDER,),
        title="Notebook output is not shared, or only under a customer key",
        why="A profile's setting takes the place of the domain's.",
        fix="Set NotebookOutputOption to Disabled, or give S3KmsKeyId.",
    ),
    _profile(
        id="SageMakerUserProfileIdentityCenterUser",
        requirement=Code(_signed_in),
        severity=WARNING,
        control="I5",
        threats=(INSIDER,),
        title="A profile of a domain with Identity Center belongs to one user",
        why="A profile without a user can be given to anyone.",
        fix="Set SingleSignOnUserIdentifier and SingleSignOnUserValue.",
    ),
    _profile(
        id="SageMakerUserProfileEmrRoles",
        requirement=Code(_same_account),
        severity=WARNING,
        control="S2",
        threats=(INSIDER,),
        title="JupyterLab assumes roles of our accounts only",
        why="A role of another account takes data out of reach of every guardrail here.",
        fix="List roles of this account or of trusted_accounts in EmrSettings.AssumableRoleArns.",
    ),
    _profile(
        id="SageMakerUserProfileNoRStudioAdmin",
        requirement=At("UserSettings.RStudioServerProAppSettings.UserGroup", absent_or("R_STUDIO_USER")),
        severity=WARNING,
        control="I1",
        threats=(INSIDER,),
        title="A user profile is no administrator of RStudio",
        why="RStudio's administrators can open every user's session.",
        fix="Set UserGroup to R_STUDIO_USER.",
    ),
    approved_bucket(
        "SageMakerUserProfileFileSystems",
        _PROFILE,
        "UserSettings.CustomFileSystemConfigs[*].S3FileSystemConfig.S3Uri",
        "A file system mounted in Studio",
    ),
    Rule(
        id="SageMakerSpaceRemoteAccess",
        resource_type=_SPACE,
        requirement=At("SpaceSettings.RemoteAccess", absent_or("DISABLED")),
        severity=ERROR,
        control="S1",
        threats=(INSIDER, HIJACK),
        title="A space can't be reached from editors outside",
        why="A remote editor is a tunnel from a laptop into the isolated network.",
        fix="Leave SpaceSettings.RemoteAccess out, or set it to DISABLED.",
    ),
    Rule(
        id="SageMakerSpacePrivate",
        resource_type=_SPACE,
        requirement=At("SpaceSharingSettings.SharingType", absent_or("Private")),
        severity=WARNING,
        control="S2",
        threats=(INSIDER,),
        title="A space belongs to one user",
        why="In a shared space each member acts with the space's role, whatever their own may do.",
        fix="Set SharingType to Private, or acknowledge it where a team shares a role on purpose.",
    ),
    instance_type(
        "SageMakerSpaceInstanceType",
        _SPACE,
        "SpaceSettings.JupyterLabAppSettings.DefaultResourceSpec.InstanceType",
    ),
    instance_type(
        "SageMakerSpaceEditorInstanceType",
        _SPACE,
        "SpaceSettings.CodeEditorAppSettings.DefaultResourceSpec.InstanceType",
    ),
    approved_bucket(
        "SageMakerSpaceFileSystems",
        _SPACE,
        "SpaceSettings.CustomFileSystems[*].S3FileSystem.S3Uri",
        "A file system mounted in a space",
    ),
    instance_type("SageMakerAppInstanceType", "AWS::SageMaker::App", "ResourceSpec.InstanceType"),
    Rule(
        id="SageMakerAppImageNotRoot",
        resource_type=_APP_IMAGE,
        requirement=Every(
            *(
                At(f"{app}.FileSystemConfig.DefaultUid", Bounded(1, absent=True))
                for app in (
                    "KernelGatewayImageConfig",
                    "JupyterLabAppImageConfig",
                    "CodeEditorAppImageConfig",
                )
            )
        ),
        severity=WARNING,
        control="S3",
        threats=(HIJACK,),
        title="Custom images of Studio do not run as root",
        why="Root in the container reads what other processes hold and eases an escape.",
        fix="Set DefaultUid to another user than 0.",
    ),
    Rule(
        id="SageMakerAppImageNoSecrets",
        resource_type=_APP_IMAGE,
        requirement=Code(_container_variables, "Names and values are items of a list."),
        severity=ERROR,
        control="E5",
        threats=(INSIDER, SUPPLY_CHAIN),
        title="Custom images of Studio hold no secret in their environment variables",
        why="Variables are readable in the template, in the console and by every Describe permission.",
        fix="Keep the secret in Secrets Manager and let the app read it with its role.",
    ),
    pinned_image(
        "SageMakerImageVersionPinned", "AWS::SageMaker::ImageVersion", "BaseImage", "A Studio image"
    ),
)
