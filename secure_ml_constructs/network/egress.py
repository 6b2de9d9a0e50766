"""Ways out that somebody asked for by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# AWS's own names: by them whoever has credentials reaches anybody's buckets, past every endpoint's policy.
_OF_AWS = (
    *("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "api.amazonwebservices.com.cn"),
    *("on.aws", "sagemaker.aws", "sagemaker.com.cn"),
)
# Half of what one list of DNS Firewall or a rule group of this library takes.
_MOST = 500
_FIX = "Write the host's name, for instance 'pypi.org' or '*.example.org'."


@dataclass(frozen=True)
class Egress:
    """Whether anything leads to the internet. Made by `Egress.none()` or `Egress.firewalled(domains=[…])`.

    Ensures:
        N7: a way out has a list of domains, none of them AWS's own or nobody's.

    Attributes:
        domains: The domains that may be reached; empty where nothing leads out.

    Example:
        >>> Egress.firewalled(domains=["pypi.org", "*.r-project.org"]).domains
        ('pypi.org', '*.r-project.org')
    """

    domains: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> Egress:
        """No way out."""
        return cls()

    @classmethod
    def firewalled(cls, *, domains: Sequence[str]) -> Egress:
        """A way out through AWS Network Firewall, by TLS on port 443, to named domains only. (N7)

        Args:
            domains: Host names (`pypi.org`), or all below one (`*.example.org`, which is not `example.org`).

        Raises:
            ConfigurationError: No domain; a scheme, port, path or address; a wildcard that is not the first
                label; a top-level domain; a domain of AWS's own; one named twice.
        """
        problems = Problems()
        if isinstance(domains, str):
            problems.add("domains", domains, "One string where a list belongs.", f"Write ['{domains}'].")
            domains = ()
        elif not domains:
            problems.add("domains", list(domains), "There is none.", "Name one, or use Egress.none().")
        elif len(domains) > _MOST:
            reason = f"These are {len(domains)} domains; the firewall's lists are made for {_MOST}."
            problems.add("domains", f"{len(domains)} domains", reason, "Mirror what is needed instead.")
        for index, domain in enumerate(domains):
            reason = "" if is_token(domain) else _wrong(domain)
            if not reason and domain in domains[:index]:
                reason = "It is named twice."
            if reason:
                problems.add(f"domains[{index}]", domain, reason, _FIX)
        problems.raise_if_any("Egress.firewalled")
        return cls(tuple(domains))


def _wrong(domain: str) -> str:
    """What is wrong with a domain; empty where nothing is."""
    if "://" in domain:
        return "This is an address with a scheme; a firewall sees the host's name only."
    if "/" in domain or ":" in domain:
        return "A port or path can't be told apart: the firewall sees the host's name only."
    labels = domain.split(".")
    if "*" in domain and (labels[0] != "*" or "*" in domain[1:]):
        return "A wildcard stands for the first label as a whole, and nowhere else."
    named = labels[1:] if labels[0] == "*" else labels
    if domain != domain.lower() or not domain.isascii():
        return "Names are compared in lower-case ASCII (xn--… for others)."
    if not named or not all(_LABEL.fullmatch(label) for label in named) or len(domain) > 253:
        return "This is no domain name."
    if re.fullmatch(r"\d+|0x[0-9a-f]*", named[-1]):
        return "This is an IP address; TLS to an address names no host, so that nothing could be compared."
    if len(named) < 2:
        return "This is a top-level domain, or a name without one: it is nobody's."
    return _of_aws(labels[0] == "*", ".".join(named))


def _of_aws(wildcard: bool, name: str) -> str:
    for own in _OF_AWS:
        if name == own or name.endswith(f".{own}") or (wildcard and own.endswith(f".{name}")):
            return f"{own} is AWS's own: its services are reached by endpoints, which know whose they are."
    return ""
