"""What policies name: principals, accounts, services, organizations, and any text at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from secure_ml_constructs.verification.proofs.estate import Estate
from secure_ml_constructs.verification.proofs.iam.documents import Document
from secure_ml_constructs.verification.proofs.iam.matching import action_matches
from secure_ml_constructs.verification.proofs.iam.patterns import Token
from secure_ml_constructs.verification.proofs.iam.ternary import Unknown

# A service that no policy names; what lets it in lets every service in.
ANY_SERVICE = "some-service.amazonaws.com"
_ACCOUNT = re.compile(r"(?<![0-9a-f])\d{12}(?![0-9a-f])")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_WITH_POLICIES = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SNS::Topic", "AWS::SQS::Queue")


@lru_cache(maxsize=4096)
def texts(document: Document) -> frozenset[str]:
    """Every piece of literal text that a condition of a document compares with."""
    return frozenset(
        part
        for statement in document.statements
        for line in statement.conditions
        for part in _parts(line.values)
    )


def principals_named(policy: Document) -> tuple[str, ...]:
    """The ARNs that the Allows of a policy name as principals."""
    found = {
        name
        for statement in policy.statements
        if statement.allow and statement.principals is not None
        for kind, name in statement.principals.names
        if kind == "AWS" and name.startswith("arn:")
    }
    return tuple(sorted(found))


def providers_named(policy: Document) -> tuple[str, ...]:
    """The identity providers that the Allows of a trust name."""
    found = {
        name
        for statement in policy.statements
        if statement.allow and statement.principals is not None
        for kind, name in statement.principals.names
        if kind == "Federated"
    }
    return tuple(sorted(found))


def encryption_contexts(policy: Document) -> tuple[str, ...]:
    """The keys of an encryption context that a policy asks for."""
    keys = {line.key for statement in policy.statements for line in statement.conditions}
    return tuple(sorted(key for key in keys if key.startswith("kms:encryptioncontext:")))


def accounts_named(documents: Iterable[Document], action: str) -> tuple[str, ...]:
    """The accounts that those Allows of some policies name which may speak of an action."""
    found: set[str] = set()
    for document in documents:
        for statement in document.statements:
            if not statement.allow or action_matches(statement, action) is False:
                continue
            names = () if statement.principals is None else statement.principals.names
            named = [name for kind, name in names if kind == "AWS"]
            named += _parts(statement.resources or ())
            named += (part for line in statement.conditions for part in _parts(line.values))
            found.update(match for text in named for match in _ACCOUNT.findall(text))
    return tuple(sorted(found))


def services_named(policy: Document) -> tuple[str, ...]:
    """The services that the Allows of a policy let in; `ANY_SERVICE` where they let everyone in."""
    found: set[str] = set()
    for statement in policy.statements:
        principals = statement.principals
        if not statement.allow or principals is None:
            continue
        found |= {name for kind, name in principals.names if kind == "Service"}
        if principals.anyone or principals.inverted or principals.unknown is not None:
            found.add(ANY_SERVICE)
    return tuple(sorted(found))


def organizations_named(estate: Estate) -> tuple[str, ...]:
    """The organizations that the policies of an estate name."""
    documents = [document for endpoint in estate.endpoints for document in endpoint.documents]
    for resource in estate.resources(*_WITH_POLICIES):
        policy = estate.policy_of(resource)
        documents += [policy] if policy else []
    found = (match[0] for each in documents for text in texts(each) for match in _ORGANIZATION.finditer(text))
    return tuple(sorted(set(found)))


def _parts(values: Iterable[tuple[Token, ...] | Unknown]) -> Iterator[str]:
    """The literal pieces of some texts."""
    for value in values:
        if not isinstance(value, Unknown):
            yield from (part for part in value if isinstance(part, str))
