"""The lake's catalog: a Glue database a zone, opened table by table through Lake Formation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from aws_cdk import Names, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct

from secure_ml_constructs._acknowledge import NO_RESOURCE
from secure_ml_constructs._cdk import account
from secure_ml_constructs.storage.access import RoleAccess

_CATALOG_READ = (
    "glue:GetDatabase",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
    "glue:BatchGetPartition",
)
_CATALOG_WRITE = (
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:CreateTable",
    "glue:UpdatePartition",
    "glue:UpdateTable",
)

_ANY_TABLE = (
    "Tables come and go within the zone's own database; Lake Formation says what may be read of each."
)


class Catalog(Construct):
    """Glue databases whose tables nobody reads until Lake Formation says so.

    Ensures:
        D9: a database a zone, its location registered with Lake Formation, permissions by role.

    The role that deploys has to be a data lake administrator of the account: Lake Formation's settings are
    the account's, so that no environment may replace them.
    (AWS Lake Formation: Create a data lake administrator)

    Args:
        scope: The lake.
        id: The construct's id.
        locations: For each zone its `s3://` address and the ARN of its prefix, each with a slash at its end.
    """

    def __init__(self, scope: Construct, id: str, *, locations: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(scope, id)
        unique = Names.unique_resource_name(self, separator="_", max_length=180).lower()
        self._made: dict[str, glue.CfnDatabase] = {}
        for zone, (uri, arn) in locations.items():
            name = f"{unique}_{zone.replace('-', '_')}"
            title = zone.capitalize()
            self._made[zone] = glue.CfnDatabase(
                self,
                f"{title}Database",
                catalog_id=account(),
                database_input=glue.CfnDatabase.DatabaseInputProperty(
                    name=name,
                    location_uri=uri,
                    # Left out, Glue gives every table to all IAM principals.
                    create_table_default_permissions=[],
                ),
            )
            # The location ends without a slash: Lake Formation then covers all below it.
            lakeformation.CfnResource(
                self, f"{title}Location", resource_arn=arn.rstrip("/"), use_service_linked_role=True
            )

    @cached_property
    def databases(self) -> Mapping[str, str]:
        """The name of each zone's database."""
        return {zone: database.ref for zone, database in self._made.items()}

    def grant_read(self, zone: str, access: RoleAccess) -> None:
        """Let a role describe and query the tables of a zone."""
        self._grant(zone, access, "Read", _CATALOG_READ, ["DESCRIBE"], ["SELECT", "DESCRIBE"])

    def grant_write(self, zone: str, access: RoleAccess) -> None:
        """Let a role make tables in a zone's database and change them."""
        actions = (*_CATALOG_READ, *_CATALOG_WRITE)
        permissions = ["ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT"]
        self._grant(zone, access, "Write", actions, ["CREATE_TABLE", "DESCRIBE"], permissions)

    def _grant(
        self,
        zone: str,
        access: RoleAccess,
        kind: str,
        actions: tuple[str, ...],
        on_database: list[str],
        on_tables: list[str],
    ) -> None:
        name = self.databases[zone]
        tables = self._arn("table", f"{name}/*")
        access.allow(
            actions,
            [self._arn("catalog"), self._arn("database", name), tables],
            wildcards={tables: _ANY_TABLE},
        )
        # It hands out what Lake Formation granted to the role, and nothing else.
        access.allow(("lakeformation:GetDataAccess",), ["*"], wildcards={"*": NO_RESOURCE})
        permissions = lakeformation.CfnPrincipalPermissions
        principal = permissions.DataLakePrincipalProperty(data_lake_principal_identifier=access.role.role_arn)
        database = permissions.DatabaseResourceProperty(catalog_id=account(), name=name)
        table = permissions.TableResourceProperty(catalog_id=account(), database_name=name, table_wildcard={})
        for what, resource, granted in (
            ("Database", permissions.ResourceProperty(database=database), on_database),
            ("Tables", permissions.ResourceProperty(table=table), on_tables),
        ):
            permissions(
                access,
                f"{zone.capitalize()}{kind}{what}",
                principal=principal,
                resource=resource,
                permissions=granted,
                permissions_with_grant_option=[],
            )

    def _arn(self, resource: str, name: str | None = None) -> str:
        return Stack.of(self).format_arn(service="glue", resource=resource, resource_name=name)
