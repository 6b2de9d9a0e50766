"""The estate: what templates deploy, as the proofs about access need it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secure_ml_constructs.verification.proofs.estate.documents import Reader, Unreadable
from secure_ml_constructs.verification.proofs.estate.endpoints import Endpoint, read_endpoints
from secure_ml_constructs.verification.proofs.estate.identities import Group, Identities, Role, User
from secure_ml_constructs.verification.proofs.estate.places import Place, find_places
from secure_ml_constructs.verification.proofs.estate.resource_policies import ResourcePolicies
from secure_ml_constructs.verification.proofs.estate.settled import Settled
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.templates import Resource, Template, Templates, TooManyWorldsError

# More ways in which the conditions of policies can fall than this are not read one by one.
MOST_WORLDS = 16


class Estate:
    """What some templates deploy, in one world: one way in which the conditions can fall.

    Everything that only deployment makes has a stand-in of the right form, the same each time and no other
    resource's; what only deployment can tell is `Unknown`. Nothing changes after it is built.

    Attributes:
        roles: Every role, in the order of the templates. So below.
        users: Every user.
        groups: Every group.
        endpoints: Every VPC endpoint.
        unreadable: The documents whose content is not known. Each stands among the others as one that may say
            anything, so no proof and no counter-example rests on it.
    """

    roles: tuple[Role, ...]
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    endpoints: tuple[Endpoint, ...]
    unreadable: tuple[Unreadable, ...]

    def __init__(self, templates: Templates, settled: Settled) -> None:
        self.templates = templates
        self._settled = settled
        self._reader = Reader(settled)
        identities = Identities(templates, self._reader)
        self.roles, self.users, self.groups = identities.roles, identities.users, identities.groups
        self.endpoints = tuple(read_endpoints(templates, self._reader))
        self._policies = ResourcePolicies(templates, self._reader)
        self.unreadable = tuple(self._reader.unreadable)

    @classmethod
    def worlds(
        cls,
        templates: Templates,
        *,
        account: str | None = None,
        region: str | None = None,
        partition: str | None = None,
    ) -> list[Estate]:
        """Read the templates once for each way in which the conditions that policies meet can fall.

        Within a world two policies under one condition change together. What is proved has to be proved in
        each world; what is broken in one is broken.

        Args:
            templates: The templates.
            account: The account they are deployed to. By default the one that the CDK's manifest notes, else
                a stand-in, which settles no condition.
            region: The region, as above.
            partition: The partition; that of the region by default.

        Raises:
            TooManyWorldsError: There are more than `MOST_WORLDS` ways.
        """
        places = find_places(templates, account, region, partition)
        ways: list[dict[Any, Any]] = [{}]
        found: list[Estate] = []
        while ways:
            if len(found) == MOST_WORLDS:
                raise TooManyWorldsError
            settled = Settled(templates, places, ways.pop())
            found.append(cls(templates, settled))
            ways += settled.close()
        return found

    @classmethod
    def of(
        cls,
        templates: Templates,
        *,
        account: str | None = None,
        region: str | None = None,
        partition: str | None = None,
    ) -> Estate:
        """Read templates whose policies depend on no condition; arguments as for `worlds`.

        Raises:
            TooManyWorldsError: They depend on one, so there is more than one world.
        """
        first, *others = cls.worlds(templates, account=account, region=region, partition=partition)
        if others:
            raise TooManyWorldsError
        return first

    def place(self, resource: Resource) -> Place:
        """Where a resource is deployed."""
        return self._settled.place(resource.template)

    def resources(self, *types: str) -> Iterator[Resource]:
        """Every resource of the types that is made in this world, or may be."""
        return (each for each in self.templates.resources(*types) if self._settled.may_exist(each))

    def text(self, template: Template, value: Any) -> str | Unknown:
        """What a value of a template is once deployed.

        Args:
            template: The template that holds it.
            value: The value as written, or as `Templates` resolved it.
        """
        found = self._settled.concrete(template, value)
        if isinstance(found, bool):
            return str(found).lower()
        if isinstance(found, int | float):
            return str(found)
        return found if isinstance(found, str | Unknown) else Unknown(f"no text: {found}")

    def value(self, resource: Resource, *path: str) -> Any:
        """A property as plain data with `Unknown` for what is not known; None where it is not there."""
        return self._settled.given(resource, *path)

    def arn(self, resource: Resource) -> str | Unknown:
        """The ARN of a resource; of an API the one that requests to it are about, up to the API's id."""
        return self._settled.attribute(resource, "Arn")

    def attribute(self, resource: Resource, attribute: str) -> str | Unknown:
        """What `Fn::GetAtt` gives of a resource, or `Ref`."""
        return self._settled.attribute(resource, attribute)

    def document(
        self, template: Template, value: Any, kind: Kind, name: str, *, api: str | None = None
    ) -> Document:
        """Read a policy document that is in none of the places where the estate looks for them.

        Args:
            template: The template that holds it.
            value: The document as it stands there, or as JSON text.
            kind: What it is attached to.
            name: What answers call it.
            api: For an API's policy: the API's ARN up to its id.

        Returns:
            The document; one that may say anything where it can't be read.
        """
        return Reader(self._settled).read(template, value, kind, name, api=api)

    def policy_of(self, resource: Resource) -> Document | None:
        """The policy of a resource, AWS's default where it makes one; None where it has none.

        Where several are attached of which one wins, no statement stands for certain.
        """
        return self._policies.of(resource)

    def block_public_access(self, bucket: Resource) -> bool:
        """Whether Block Public Access surely restricts a bucket: `RestrictPublicBuckets`."""
        return self.value(bucket, "PublicAccessBlockConfiguration", "RestrictPublicBuckets") in (True, "true")
