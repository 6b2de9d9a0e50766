"""All documents that stand in the way of one request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from secure_ml_constructs.verification.proofs.iam.documents import Document


class Authorization(StrEnum):
    """How a method of an API authorizes its callers, by the names of `AWS::ApiGateway::Method`."""

    NONE = "NONE"
    IAM = "AWS_IAM"
    LAMBDA = "CUSTOM"
    COGNITO = "COGNITO_USER_POOLS"


@dataclass(frozen=True, kw_only=True)
class Method:
    """The method of an API that a request invokes.

    Attributes:
        authorization: How it authorizes its callers. Other than with `IAM` they are anonymous to policies.
        token: Whether the caller has what the Lambda or Cognito authorizer accepts.
        private: Whether the API is private.
    """

    authorization: Authorization
    token: bool = False
    private: bool = False


@dataclass(frozen=True, kw_only=True)
class Policies:
    """All documents that stand in the way of one request.

    Attributes:
        identity: The policies of the user or role.
        boundary: Its permissions boundary; None where it has none.
        session: The policies given when the session was made; None where none was.
        resource: The policy of the resource; None where it has none.
        endpoint: The policy of the VPC endpoint that the request passes; None where it passes none or one
            that lets everything through.
        scps: Levels of the organization from the root down, each with its SCPs: they bind users and roles
            of its accounts, so leave them out for principals of others. A level without any Allow is taken
            to have AWS's `FullAWSAccess` beside it, which AWS attaches by itself.
        rcps: The same for RCPs, where `RCPFullAWSAccess` always stands; they bind the resources.
        block_public_access: Whether S3 Block Public Access restricts the bucket or its account.
        method: The method of an API that `execute-api:Invoke` is about; None for one with IAM authorization.
    """

    identity: tuple[Document, ...] = ()
    boundary: tuple[Document, ...] | None = None
    session: tuple[Document, ...] | None = None
    resource: Document | None = None
    endpoint: tuple[Document, ...] | None = None
    scps: tuple[tuple[Document, ...], ...] = ()
    rcps: tuple[tuple[Document, ...], ...] = ()
    block_public_access: bool = False
    method: Method | None = None

    def in_order(self) -> Iterator[Document]:
        """Every document, in the order in which AWS looks for a Deny.

        IAM User Guide, "How AWS enforcement code logic evaluates requests": RCPs, SCPs, resource policy,
        identity policies, boundary, session policies.
        """
        for level in (*self.rcps, *self.scps):
            yield from level
        if self.resource:
            yield self.resource
        yield from self.identity
        yield from self.boundary or ()
        yield from self.session or ()
        yield from self.endpoint or ()
