"""Roles, users and groups with all the documents that bear on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.proofs.estate.documents import Reader, anything, unsure
from secure_ml_constructs.verification.proofs.iam.documents import Document, Kind
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown
from secure_ml_constructs.verification.templates import Resource, Templates

_ROLE, _USER, _GROUP = "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"
_MANAGED = "AWS::IAM::ManagedPolicy"
# Types that attach one document by names, and which property names whom.
_ATTACHED = {
    "AWS::IAM::Policy": {"Roles": _ROLE, "Users": _USER, "Groups": _GROUP},
    "AWS::IAM::RolePolicy": {"RoleName": _ROLE},
    "AWS::IAM::UserPolicy": {"UserName": _USER},
    "AWS::IAM::GroupPolicy": {"GroupName": _GROUP},
    _MANAGED: {"Roles": _ROLE, "Users": _USER, "Groups": _GROUP},
}


@dataclass(frozen=True)
class Identity:
    """What has permissions of its own.

    Attributes:
        resource: The resource.
        arn: Its ARN.
        name: Its name.
        path: Its path.
        documents: Its identity policies, inline and managed; of a user those of its groups too.
        boundary: Its permissions boundary; None where it has none.
        unknown: ARNs of its managed policies that no template has: AWS's own, or made elsewhere. Each has a
            document of unknown content among `documents` or in `boundary`.
    """

    resource: Resource
    arn: str | Unknown
    name: str | Unknown
    path: str
    documents: tuple[Document, ...]
    boundary: tuple[Document, ...] | None
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Role(Identity):
    """A role.

    Attributes:
        trust: Who may assume it.
    """

    trust: Document


@dataclass(frozen=True)
class User(Identity):
    """A user.

    Attributes:
        groups: The ARNs of its groups, as far as the templates have them.
    """

    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group(Identity):
    """A group of users. It makes no requests itself."""


class Identities:
    """Reads every role, user and group of some templates.

    Args:
        templates: The templates.
        reader: Reads their documents.
    """

    def __init__(self, templates: Templates, reader: Reader) -> None:
        self._templates = templates
        self._reader = reader
        self._settled = reader.settled
        # By type and account, as one app may be deployed to several, and by name in lower case.
        self._attached: dict[tuple[str, str, str], list[Document]] = defaultdict(list)
        # Documents attached to somebody whose name is not known.
        self._stray: dict[str, list[Document]] = defaultdict(list)
        self._managed: dict[str, Document] = {}
        self._read_policies()
        self.groups = tuple(self._group(each) for each in self._existing(_GROUP))
        self._memberships = self._read_memberships()
        self.roles = tuple(self._role(each) for each in self._existing(_ROLE))
        self.users = tuple(self._user(each) for each in self._existing(_USER))

    def _existing(self, type_: str) -> Iterator[Resource]:
        return (each for each in self._templates.resources(type_) if self._settled.exists(each))

    def _read_policies(self) -> None:
        for type_, targets in _ATTACHED.items():
            for resource in self._existing(type_):
                document = self._document(resource)
                if type_ == _MANAGED:
                    arn = self._settled.attribute(resource, "Arn")
                    if isinstance(arn, str):
                        self._managed[arn] = document
                account = self._settled.place(resource.template).account
                for path, target in targets.items():
                    for name in _list(self._settled.given(resource, path)):
                        if isinstance(name, str):
                            self._attached[target, account, name.lower()].append(document)
                        else:
                            reason = f"whom {document.name} is attached to"
                            self._stray[target].append(unsure(document, reason))

    def _document(self, resource: Resource) -> Document:
        return self._reader.read(
            resource.template,
            resource.properties.get("PolicyDocument"),
            Kind.IDENTITY,
            self._reader.name(resource),
        )

    def _inline(self, resource: Resource) -> Iterator[Document]:
        template = resource.template
        policies = self._settled.resolve(template, resource.properties.get("Policies"))
        if not isinstance(policies, list):
            if policies:
                yield self._reader.read(
                    template, policies, Kind.IDENTITY, self._reader.name(resource, "Policies")
                )
            return
        for index, given in enumerate(policies):
            policy = self._settled.resolve(template, given)
            if not policy:
                continue
            label, document = f"#{index}", policy
            if isinstance(policy, dict):
                name = self._settled.concrete(template, policy.get("PolicyName"))
                label = name if isinstance(name, str) else label
                document = policy.get("PolicyDocument")
            yield self._reader.read(template, document, Kind.IDENTITY, self._reader.name(resource, label))

    def _managed_policy(self, arn: Any, kind: Kind) -> tuple[Document, str | None]:
        """The document of a managed policy; its ARN too where no template has it."""
        if isinstance(arn, str):
            if arn in self._managed:
                found = self._managed[arn]
                return Document(found.name, kind, found.statements), None
            return anything(kind, arn, "no template has it", may_deny=not _only_allows(arn)), arn
        reason = arn.reason if isinstance(arn, Unknown) else f"its ARN is {arn!r}"
        return anything(kind, "a managed policy", reason), f"a managed policy: {reason}"

    def _common(self, resource: Resource) -> dict[str, Any]:
        settled = self._settled
        name = settled.attribute(resource, "Name")
        documents = list(self._inline(resource))
        unknown: list[str] = []
        for arn in _list(settled.given(resource, "ManagedPolicyArns")):
            document, missing = self._managed_policy(arn, Kind.IDENTITY)
            documents.append(document)
            unknown += [missing] if missing else []
        if isinstance(name, str):
            account = settled.place(resource.template).account
            documents += self._attached.get((resource.type, account, name.lower()), [])
        documents += self._stray[resource.type]
        boundary: tuple[Document, ...] | None = None
        given = settled.given(resource, "PermissionsBoundary")
        if given is not None:
            document, missing = self._managed_policy(given, Kind.BOUNDARY)
            boundary = (document,)
            unknown += [missing] if missing else []
        path = settled.given(resource, "Path")
        return {
            "resource": resource,
            "arn": settled.attribute(resource, "Arn"),
            "name": name,
            "path": path if isinstance(path, str) else "/",
            "documents": _distinct(documents),
            "boundary": boundary,
            "unknown": tuple(unknown),
        }

    def _role(self, resource: Resource) -> Role:
        trust = self._reader.read(
            resource.template,
            resource.properties.get("AssumeRolePolicyDocument"),
            Kind.RESOURCE,
            self._reader.name(resource, "trust"),
        )
        return Role(**self._common(resource), trust=trust)

    def _group(self, resource: Resource) -> Group:
        return Group(**self._common(resource))

    def _read_memberships(self) -> dict[tuple[str, str], set[str]]:
        """The names of the groups that a user was added to, by account and name of the user."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for resource in self._existing("AWS::IAM::UserToGroupAddition"):
            account = self._settled.place(resource.template).account
            group = self._settled.given(resource, "GroupName")
            for user in _list(self._settled.given(resource, "Users")):
                # A user whose name is not known may be any.
                found[account, user.lower() if isinstance(user, str) else ""].add(str(group))
        return found

    def _user(self, resource: Resource) -> User:
        common = self._common(resource)
        account = self._settled.place(resource.template).account
        names = _list(self._settled.given(resource, "Groups"))
        own = common["name"].lower() if isinstance(common["name"], str) else ""
        added = self._memberships[account, own] | self._memberships[account, ""]
        names += sorted(added - set(map(str, names)))
        groups: list[str] = []
        documents = list(common["documents"])
        for name in names:
            group = next((each for each in self.groups if _is(each, name, account)), None)
            if group is None:
                documents.append(anything(Kind.IDENTITY, f"the group {name}", "no template has it"))
            else:
                documents += group.documents
                groups.append(str(group.arn))
        return User(**{**common, "documents": tuple(documents)}, groups=tuple(groups))


def _distinct(documents: list[Document]) -> tuple[Document, ...]:
    """Each document once: a managed policy may be attached from both sides."""
    return tuple({(each.name, id(each.statements)): each for each in documents}.values())


def _only_allows(arn: str) -> bool:
    """Whether a managed policy is one of AWS's own, which but for a few have no Deny."""
    return ":iam::aws:" in arn and "Deny" not in arn and "Quarantine" not in arn


def _is(group: Group, name: Any, account: str) -> bool:
    ours = isinstance(group.name, str) and isinstance(name, str) and group.name.lower() == name.lower()
    return ours and isinstance(group.arn, str) and f"::{account}:" in group.arn


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
