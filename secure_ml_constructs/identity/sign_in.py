"""By whom the roles of auditors and administrators are assumed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.policy import Condition, Document, Statement, allow, document, sub, subs

__all__ = ["SessionTag", "SignIn"]

_PROVIDER = re.compile(
    r"arn:(?:aws[a-z-]*|\$\{AWS::Partition\}):iam::(?:\d{12}|\$\{AWS::AccountId\}):saml-provider/\S+"
)
_ROLE = re.compile(
    r"arn:(?:aws[a-z-]*|\$\{AWS::Partition\}):iam::(?:\d{12}|\$\{AWS::AccountId\}):role/[\w+=,.@-]\S*",
    re.ASCII,
)
_TAG = re.compile(r"[\w+=.@-]{1,128}", re.ASCII)
# Where a provider sends its assertion: the sign-in page of each partition.
_AUDIENCES = (
    "https://signin.aws.amazon.com/saml",
    "https://signin.amazonaws-us-gov.com/saml",
    "https://signin.amazonaws.cn/saml",
)


@dataclass(frozen=True)
class SessionTag:
    """A tag that the identity provider sets on sessions of people who have shown a second factor.

    Args:
        key: Its name (`mfa`).
        value: Its value. Default: `true`.

    Raises:
        ConfigurationError: A name or value that no session tag can have.

    Example:
        >>> SessionTag("mfa").value
        'true'
    """

    key: str
    value: str = "true"

    def __post_init__(self) -> None:
        problems = Problems()
        for name, text in (("key", self.key), ("value", self.value)):
            if not _TAG.fullmatch(text):
                problems.add(
                    name, text, "It is a plain text: a wildcard would mean any.", "Write 'mfa', 'true'."
                )
        problems.raise_if_any("SessionTag")


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """How people come to the roles of auditors and administrators; made by `saml` or `roles`.

    `aws:MultiFactorAuthPresent` is not set in sessions of an identity provider, nor in sessions that another
    role assumed. (IAM User Guide: AWS global condition context keys) So the provider asks for the second
    factor, and says so by a session tag.

    Ensures:
        I5: people come by an identity provider, or by the roles of IAM Identity Center.
        I6: a second factor, by the session's own mark where it can carry one, else by the provider's tag.
        I9: the provider may set the person's name as source identity.

    Raises:
        ConfigurationError: An ARN that is none, a pattern that would let every role in, an empty list.

    Example:
        >>> sign_in = SignIn.saml(
        ...     provider_arn="arn:aws:iam::111122223333:saml-provider/Hospital", session_tag=SessionTag("mfa")
        ... )
    """

    provider_arn: str = ""
    role_arns: tuple[str, ...] = ()
    session_tag: SessionTag | None = None

    @classmethod
    def saml(cls, *, provider_arn: str, session_tag: SessionTag) -> SignIn:
        """Let people in by an identity provider of the account.

        Args:
            provider_arn: The SAML provider.
            session_tag: What the provider sets on sessions with a second factor.
        """
        return cls(provider_arn=provider_arn, session_tag=session_tag)

    @classmethod
    def roles(cls, *, arns: Sequence[str], session_tag: SessionTag | None = None) -> SignIn:
        """Let people in who hold another role already, for instance one of IAM Identity Center.

        Args:
            arns: ARNs of these roles, with wildcards:
                `arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_MlAdmin_*`.
            session_tag: What the provider sets on sessions with a second factor, and hands on. Default: the
                session itself has to carry the mark of a second factor, as those of IAM Identity Center and
                of chained roles do not.
        """
        return cls(role_arns=(arns,) if isinstance(arns, str) else tuple(arns), session_tag=session_tag)

    def __post_init__(self) -> None:
        problems = Problems()
        if self.provider_arn:
            if not is_token(self.provider_arn) and not _PROVIDER.fullmatch(self.provider_arn):
                fix = "Write 'arn:aws:iam::<account>:saml-provider/<name>'."
                problems.add("provider_arn", self.provider_arn, "This is no SAML provider's ARN.", fix)
            if self.session_tag is None:
                reason = "Sessions of a provider carry no mark of a second factor."
                problems.add(
                    "session_tag", None, reason, "Write SessionTag('mfa'), and let the provider set it."
                )
        elif not self.role_arns:
            problems.add("arns", (), "Nobody could sign in.", "Name a role, or use SignIn.saml(...).")
        for index, arn in enumerate(self.role_arns):
            if not is_token(arn) and not _ROLE.fullmatch(arn):
                problems.add(
                    f"arns[{index}]",
                    arn,
                    "This is no role's ARN, or a pattern that begins with a wildcard and lets every role in.",
                    "Write 'arn:aws:iam::<account>:role/<path or name>'.",
                )
        problems.raise_if_any("SignIn")

    def trust(self) -> Document:
        """Give the trust policy of a role that people come to in this way. (I6)"""
        return document([self._by_provider() if self.provider_arn else self._by_role()])

    def _by_provider(self) -> Statement:
        condition: Condition = {"StringEquals": {"SAML:aud": list(_AUDIENCES)}}
        if self.session_tag:
            condition["StringEquals"][f"aws:RequestTag/{self.session_tag.key}"] = self.session_tag.value
        return _without_resource(
            allow(
                "People",
                ("sts:AssumeRoleWithSAML", "sts:SetSourceIdentity", "sts:TagSession"),
                principal={"Federated": sub(self.provider_arn)},
                condition=condition,
            )
        )

    def _by_role(self) -> Statement:
        # The account under a condition: a trust that names a role which is made anew would let nobody in.
        condition: Condition = {"ArnLike": {"aws:PrincipalArn": subs(self.role_arns)}}
        if self.session_tag:
            condition["StringEquals"] = {f"aws:PrincipalTag/{self.session_tag.key}": self.session_tag.value}
        else:
            condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
        return _without_resource(
            allow(
                "People",
                ("sts:AssumeRole", "sts:SetSourceIdentity"),
                principal={"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
                condition=condition,
            )
        )


def _without_resource(statement: Statement) -> Statement:
    del statement["Resource"]
    return statement
