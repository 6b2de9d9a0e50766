"""Packages for pip and npm without a way out: ours from us alone, all others from outside alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from aws_cdk import Aws, Names, RemovalPolicy
from aws_cdk import aws_codeartifact as codeartifact
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_RESOURCE
from secure_ml_constructs._cdk import account, child_path, partition, region
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Document, Statement, allow, deny, document
from secure_ml_constructs.storage.access import RoleAccess
from secure_ml_constructs.storage.package_sources import PackageFormat, PackageGroup, PackageSource

_READING = (
    "codeartifact:GetPackageVersionAsset",
    "codeartifact:GetPackageVersionReadme",
    "codeartifact:ReadFromRepository",
)
_PUBLISHING = ("codeartifact:PublishPackageVersion", "codeartifact:PutPackageMetadata")
_INSTALLING = (
    "codeartifact:DescribeRepository",
    "codeartifact:GetRepositoryEndpoint",
    "codeartifact:ReadFromRepository",
)
_TOKEN = "codeartifact:GetAuthorizationToken"
# AWS CodeArtifact: AWS CodeArtifact authentication and tokens. There is no resource to name.
_BEARER = "sts:GetServiceBearerToken"
_FOR_PACKAGES = {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}
# What lets other packages in, or takes some away. A policy is not asked about its own replacement
# (AWS CodeArtifact: Repository policies): the domain's is about the repositories', an SCP about both.
_ADMINISTRATION = (
    "codeartifact:AssociateExternalConnection",
    "codeartifact:AssociateWithDownstreamRepository",
    "codeartifact:CopyPackageVersions",
    "codeartifact:DeletePackage",
    "codeartifact:DeletePackageVersions",
    "codeartifact:DeleteRepository",
    "codeartifact:DeleteRepositoryPermissionsPolicy",
    "codeartifact:DisassociateExternalConnection",
    "codeartifact:DisposePackageVersions",
    "codeartifact:PutPackageOriginConfiguration",
    "codeartifact:PutRepositoryPermissionsPolicy",
    "codeartifact:UpdatePackageVersionsStatus",
    "codeartifact:UpdateRepository",
)
_DOMAIN_ADMINISTRATION = (
    "codeartifact:CreatePackageGroup",
    "codeartifact:CreateRepository",
    "codeartifact:DeleteDomain",
    "codeartifact:DeleteDomainPermissionsPolicy",
    "codeartifact:DeletePackageGroup",
    "codeartifact:PutDomainPermissionsPolicy",
    "codeartifact:UpdatePackageGroup",
    "codeartifact:UpdatePackageGroupOriginConfiguration",
)
# Its name within the domain, which no other construct shares.
_REPOSITORY = "packages"


class PackageRepository(Construct):
    """One repository that pip and npm install from, by the VPC's endpoints, and that takes our own packages.

    Public packages come through a repository of their own for each registry. Package groups say of each name
    where it may come from: our names are published and never fetched, others are fetched and never published.

    Ensures:
        N8: upstreams and origin controls are pinned; reached by endpoints; tokens are refreshed by a keyring.
        E3: under the customer key.
        D3: no outsiders; packages are read and published from the environment's endpoints.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted, and the exceptions.
        key: The key of packages (`EnvironmentKeys.model`): what runs beside the models.
        endpoints: Ids of the VPC endpoints `codeartifact.api` and `codeartifact.repositories`.
        sources: The packages, by format. Default: pip alone, every package of PyPI and none of our own.

    Raises:
        ConfigurationError: An AWS-managed key, no endpoint, a format twice, names that would match nothing,
            a public name that begins as our own do.

    Example:
        >>> packages = PackageRepository(
        ...     stack,
        ...     "Packages",
        ...     perimeter=perimeter,
        ...     key=keys.model,
        ...     endpoints=["vpce-0a1b2c3d4e5f60718", "vpce-1a1b2c3d4e5f60718"],
        ...     sources=[PackageSource.pypi(internal=["acme"])],
        ... )
        >>> packages.grant_read(role)
        >>> packages.pip_conf.splitlines()[0]
        '[global]'
    """

    #: The domain's name.
    domain_name: str
    #: The repository's name within the domain.
    repository_name: str = _REPOSITORY

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        endpoints: Sequence[str],
        sources: Sequence[PackageSource] = (PackageSource(format=PackageFormat.PYPI),),
    ) -> None:
        problems = Problems()
        key_arn = refuse_aws_managed(problems, "key", key)
        if isinstance(endpoints, str) or not endpoints:
            problems.add(
                "endpoints",
                endpoints,
                "Without an endpoint nobody could install anything.",
                "Give a list: [vpc.endpoint_ids['codeartifact.api'], ...['codeartifact.repositories']].",
            )
        _check_sources(problems, sources)
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._sources = tuple(sources)
        self._access: dict[str, RoleAccess] = {}
        # CodeArtifact makes up no names. This one is part of a host's name that anyone can look up.
        self.domain_name = Names.unique_resource_name(self, max_length=50, separator="-").lower()
        domain = codeartifact.CfnDomain(
            self,
            "Domain",
            domain_name=self.domain_name,
            encryption_key=key_arn,
            permissions_policy_document=_domain_policy(perimeter, endpoints),
        )
        domain.apply_removal_policy(RemovalPolicy.RETAIN)
        using = list(_statements(perimeter, endpoints))
        upstreams = {
            source.format: self._repository(
                f"{source.format.capitalize()}Public",
                domain,
                f"{source.format}-public",
                document([*using, deny("DenyPublishing", _PUBLISHING)]),
                description=f"Takes packages from {source.connection}",
                external_connections=[source.connection],
            )
            for source in sources
            if source.connection
        }
        own = self._repository(
            "Repository",
            domain,
            _REPOSITORY,
            document([*using, self._deny_foreign_names()]),
            description="Where the environment installs from and publishes to",
            upstreams=[upstream.attr_name for upstream in upstreams.values()] or None,
        )
        for source in sources:
            for group in source.groups():
                self._group(domain, group, own, upstreams.get(source.format))

    @cached_property
    def repository_arn(self) -> str:
        """The repository's ARN."""
        return self._arn("repository", _REPOSITORY)

    @cached_property
    def pip_index(self) -> str:
        """The index of pip, without scheme and sign-in (`<host>/pypi/packages/simple/`)."""
        return f"{self._host}/pypi/{_REPOSITORY}/simple/"

    @cached_property
    def pip_conf(self) -> str:
        """The text of `pip.conf`, for images with the package `keyrings.codeartifact`.

        The keyring asks for a token each time, with the role's credentials: none is written down.
        """
        return f"[global]\nindex-url = https://aws@{self.pip_index}\nkeyring-provider = import\n"

    @cached_property
    def npmrc(self) -> str:
        """The text of `.npmrc`, which takes the token from the environment (`CODEARTIFACT_AUTH_TOKEN`)."""
        path = f"//{self._host}/npm/{_REPOSITORY}/"
        return f"registry=https:{path}\n{path}:_authToken=${{CODEARTIFACT_AUTH_TOKEN}}\n"

    def grant_read(self, role: iam.IRole) -> None:
        """Let a role install packages. (N8)

        Args:
            role: A role of the environment (under the perimeter's `role_path`); others are denied.
        """
        access = self._access_of(role)
        if ("read", "") in access.granted:
            return
        access.granted.add(("read", ""))
        access.allow([_TOKEN], [self._arn("domain")])
        access.allow([_BEARER], ["*"], condition=_FOR_PACKAGES, wildcards={"*": NO_RESOURCE})
        access.allow(_INSTALLING, [self.repository_arn])

    def read_statements(self) -> list[Statement]:
        """Give what installing packages takes, for a role whose policy is written as a whole. (N8)"""
        return [
            allow("PackagesToken", _TOKEN, self._arn("domain")),
            allow("PackagesBearer", _BEARER, condition=_FOR_PACKAGES),
            allow("Packages", _INSTALLING, self.repository_arn),
        ]

    def grant_publish(self, role: iam.IRole) -> None:
        """Let a role publish packages of our own names, and install. (N8)

        Args:
            role: A role of the environment, such as a pipeline's.

        Raises:
            ConfigurationError: No source has internal names, so that there is nothing to publish.
        """
        resources = self._own_packages()
        if not resources:
            problems = Problems()
            problems.add(
                "sources",
                [str(source.format) for source in self._sources],
                "None has names of our own, so that nothing may be published.",
                "Give internal names, for instance PackageSource.pypi(internal=['acme']).",
            )
            problems.raise_if_any(self.node.path)
        self.grant_read(role)
        access = self._access_of(role)
        if ("publish", "") not in access.granted:
            access.granted.add(("publish", ""))
            reason = "Names of packages are made up by whoever publishes; all begin as ours do."
            access.allow(
                ["codeartifact:PublishPackageVersion"],
                resources,
                wildcards={arn: reason for arn in resources if arn.endswith("*")},
            )

    @property
    def _host(self) -> str:
        return f"{self.domain_name}-{account()}.d.codeartifact.{region()}.{Aws.URL_SUFFIX}"

    def _arn(self, kind: str, name: str = "") -> str:
        path = f"{self.domain_name}/{name}" if name else self.domain_name
        return f"arn:{partition()}:codeartifact:{region()}:{account()}:{kind}/{path}"

    def _own_packages(self) -> list[str]:
        return [
            self._arn("package", f"{_REPOSITORY}/{pattern}")
            for source in self._sources
            for pattern in source.package_patterns()
        ]

    def _deny_foreign_names(self) -> Statement:
        """Whoever may publish what: the package groups say the same, and an administrator can change them."""
        own = self._own_packages()
        statement = deny("DenyForeignNames", _PUBLISHING)
        if own:
            del statement["Resource"]
            statement["NotResource"] = own
        return statement

    def _repository(
        self,
        id: str,
        domain: codeartifact.CfnDomain,
        name: str,
        policy: Document,
        *,
        description: str,
        external_connections: list[str] | None = None,
        upstreams: list[str] | None = None,
    ) -> codeartifact.CfnRepository:
        repository = codeartifact.CfnRepository(
            self,
            id,
            domain_name=domain.attr_name,
            repository_name=name,
            description=description,
            external_connections=external_connections,
            upstreams=upstreams,
            permissions_policy_document=policy,
        )
        repository.apply_removal_policy(RemovalPolicy.RETAIN)
        return repository

    def _group(
        self,
        domain: codeartifact.CfnDomain,
        group: PackageGroup,
        own: codeartifact.CfnRepository,
        upstream: codeartifact.CfnRepository | None,
    ) -> None:
        made = codeartifact.CfnPackageGroup
        blocked = made.RestrictionTypeProperty(restriction_mode="BLOCK")

        def only(
            repository: codeartifact.CfnRepository,
        ) -> codeartifact.CfnPackageGroup.RestrictionTypeProperty:
            return made.RestrictionTypeProperty(
                restriction_mode="ALLOW_SPECIFIC_REPOSITORIES", repositories=[repository.attr_name]
            )

        fetched = group.from_public and upstream is not None
        made(
            self,
            group.id,
            domain_name=domain.attr_name,
            pattern=group.pattern,
            origin_configuration=made.OriginConfigurationProperty(
                restrictions=made.RestrictionsProperty(
                    publish=only(own) if group.published else blocked,
                    external_upstream=only(upstream) if fetched and upstream else blocked,
                    # What was fetched once is handed on from the public repository to the one installed from.
                    internal_upstream=only(own) if fetched else blocked,
                )
            ),
        )

    def _access_of(self, role: iam.IRole) -> RoleAccess:
        path = role.node.path
        if path not in self._access:
            # The addresses tell two imported roles apart, and two repositories that grant to one role.
            self._access[path] = RoleAccess(self, role, f"Packages{self.node.addr[-8:]}{role.node.addr[-8:]}")
        return self._access[path]


def _domain_policy(perimeter: DataPerimeter, endpoints: Sequence[str]) -> Document:
    # It is asked about everything in the domain, repositories and packages too.
    # (AWS CodeArtifact: Domain policies)
    statements = _statements(perimeter, endpoints, using=(_TOKEN,), administration=_DOMAIN_ADMINISTRATION)
    return document(statements)


def _statements(
    perimeter: DataPerimeter,
    endpoints: Sequence[str],
    *,
    using: Sequence[str] = (),
    administration: Sequence[str] = (),
) -> Iterator[Statement]:
    """Denies alone: what a role may do stands on the role."""
    actions = (*_READING, *_PUBLISHING, *using)
    users = (perimeter.environment_roles, *perimeter.break_glass_roles)
    yield perimeter.deny_outsiders("codeartifact:*", "*")
    yield perimeter.deny_foreign_networks(actions, "*", endpoints=endpoints)
    yield deny("DenyUse", actions, condition=perimeter.not_roles(users))
    yield perimeter.deny_administration((*_ADMINISTRATION, *administration), "*")


def _check_sources(problems: Problems, sources: Sequence[PackageSource]) -> None:
    if not sources:
        problems.add(
            "sources", [], "There would be nothing to install.", "Give for instance [PackageSource.pypi()]."
        )
    formats = [source.format for source in sources]
    for index, source in enumerate(sources):
        if source.format in formats[:index]:
            problems.add(
                f"sources[{index}].format",
                str(source.format),
                "It is there twice.",
                "Write one source of both.",
            )
        source.check(problems, f"sources[{index}]")
