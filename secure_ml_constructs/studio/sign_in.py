"""How people sign in to Studio, and from where."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, allow, deny

# What gives an address that signs one in. In IAM mode its conditions are asked again of every request that
# the browser makes. (Amazon SageMaker API Reference: CreatePresignedDomainUrl)
SIGN_IN = "sagemaker:CreatePresignedDomainUrl"


@dataclass(frozen=True)
class StudioAuth:
    """How people sign in: made by `identity_center` or `iam`.

    Ensures:
        I5: by IAM Identity Center, or by IAM.
        S1: in IAM mode from the environment's endpoints or named ranges; in Identity Center mode by no
            address that a role could make.

    Attributes:
        mode: What CloudFormation calls it, `SSO` or `IAM`.
        ranges: Public address ranges from which people sign in as well, in IAM mode.

    Example:
        >>> StudioAuth.identity_center().mode
        'SSO'
    """

    mode: str
    ranges: tuple[str, ...] = ()

    @classmethod
    def identity_center(cls) -> StudioAuth:
        """Sign in by IAM Identity Center: each person by name. Where from is for the identity provider."""
        return cls("SSO")

    @classmethod
    def iam(cls, *, ranges: Sequence[str] = ()) -> StudioAuth:
        """Sign in by IAM, from the environment's endpoints.

        Args:
            ranges: Public address ranges from which people may sign in as well, such as the office's.
                Private addresses arrive by the endpoints. Default: none.

        Raises:
            ConfigurationError: A range that is none, private, or larger than /16 (IPv6: /32).

        Example:
            >>> StudioAuth.iam(ranges=("192.0.2.0/24",)).mode
            'IAM'
        """
        problems = Problems()
        if isinstance(ranges, str):
            problems.add("ranges", ranges, "One string where a list belongs.", f"Write ({ranges!r},).")
            ranges = ()
        for index, given in enumerate(ranges):
            _check_range(problems, f"ranges[{index}]", given)
        problems.raise_if_any("StudioAuth.iam")
        return cls("IAM", tuple(ranges))


# Ranges that the internet does not route. Documentation ranges stand in examples for somebody's office.
_PRIVATE = tuple(
    ipaddress.ip_network(block)
    for block in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"),
    )
)


def _check_range(problems: Problems, argument: str, given: str) -> None:
    try:
        network = ipaddress.ip_network(given)
    except ValueError:
        problems.add(argument, given, "This is no address range.", "Write for instance '192.0.2.0/24'.")
        return
    if network.prefixlen < (16 if network.version == 4 else 32):
        problems.add(
            argument,
            given,
            "It names a good part of the internet.",
            "Name the addresses of your own, as /24.",
        )
    elif any(network.version == each.version and network.subnet_of(each) for each in _PRIVATE):  # type: ignore[arg-type]
        problems.add(
            argument,
            given,
            "AWS sees public addresses only (aws:SourceIp); whoever has this one arrives by an endpoint.",
            "Leave it out.",
        )


def allow_sign_in(
    auth: StudioAuth, resource: Any, endpoints: Sequence[str], action: str = SIGN_IN
) -> Iterator[Statement]:
    """Allow to sign in to one profile or notebook instance, from known places only. (S1)"""
    inside = {"StringEquals": {"aws:SourceVpce": list(endpoints)}}
    yield allow("SignInFromEndpoints", action, resource, condition=inside)
    if auth.ranges:
        known = {"IpAddress": {"aws:SourceIp": list(auth.ranges)}}
        yield allow("SignInFromRanges", action, resource, condition=known)


def deny_sign_in(
    auth: StudioAuth, perimeter: DataPerimeter, endpoints: Sequence[str], action: str = SIGN_IN
) -> Statement:
    """Deny to sign in from anywhere else, or at all where people sign in elsewhere. (S1)"""
    if auth.mode == "SSO":
        return deny("NoSignIn", action, principal=None)
    # Without exceptions: no service signs in.
    condition = replace(perimeter, exceptions=(), break_glass_roles=()).from_elsewhere(endpoints)
    del condition["ArnNotLikeIfExists"]
    if auth.ranges:
        condition["NotIpAddressIfExists"] = {"aws:SourceIp": list(auth.ranges)}
    return deny("NoSignInFromElsewhere", action, principal=None, condition=condition)
