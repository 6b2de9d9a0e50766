"""What the web application firewall of a door lets in, and how much of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs._retention import check_retention
from secure_ml_constructs.errors import Problems

__all__ = ["BODY_RULES", "INSPECTED_KB", "MOST_KB", "DoorFirewall", "networks"]

# AWS WAF: "Considerations for managing body inspection"; API Gateway's own limit is 10 MB.
# (Amazon API Gateway quotas: payload size)
INSPECTED_KB = (16, 32, 48, 64)
MOST_KB = 10_000
# AWS WAF API: RateBasedStatement, Limit.
_LEAST_RATE, _HIGHEST_RATE = 10, 2_000_000_000
_MOST_ADDRESSES = 10_000
_MOST_COUNTRIES = 50
# No network that one organization calls from is wider.
_WIDEST = {4: 8, 6: 16}
# AWS Managed Rules: Core rule set, the rules that read the body (but the one about its size).
BODY_RULES = ("CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY")
# ISO 3166-1 alpha-2, and XK, as AWS WAF takes them (AWS WAF API: GeoMatchStatement).
_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
    FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
    IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK
    YE YT ZA ZM ZW
"""
_COUNTRIES = frozenset(_CODES.split())


@dataclass(frozen=True, kw_only=True)
class DoorFirewall:
    """What AWS WAF lets through to a door.

    Ensures:
        G3: no caller asks more often than its rate, whatever addresses it asks from.
        G4: rates, lists of addresses and countries, and a limit on bodies that is inspected to its end.
        G12: a flood ends before it is answered, and paid for.

    Args:
        requests_per_ip: Requests a minute from one address, 10 or more. Default: 6,000.
        requests_per_caller: Requests a minute of one caller, told by its API key or token, 10 or more.
            Default: 3,000, which is 50 a second.
        allow: Networks (CIDR, IPv4 or IPv6) that may call; all others are refused. Default: any may.
        deny: Networks that may not call, even if `allow` holds them. Default: none.
        countries: Countries that may call (ISO 3166, `DE`); all others are refused. Default: any may.
        not_countries: Countries that may not call. Default: none.
        largest_body_kb: Kilobytes (of 1,024 bytes) of the largest body, 1 to 64; to 10,000 with
            `uninspected_rest`. Default: 64.
        uninspected_rest: Whether bodies beyond 64 KB are taken, of which AWS WAF sees no more than the first
            64 KB. They have to say their length. Default: refused.
        anonymous_ips: Whether callers from anonymizing networks (Tor, VPN, proxies) and from hosting
            providers are refused. Default: they are.
        hosted_callers: Whether callers at hosting and cloud providers other than AWS are let through all the
            same: partners whose machines call. Default: refused with `anonymous_ips`.
        counted_body_rules: Rules of the core group (`BODY_RULES`) that count and do not block, for models
            whose input may look like an attack: one that reads e-mails, say. Default: none.
        log_retention_days: Days that the firewall's log is kept. Default: 365.

    Raises:
        ConfigurationError: A rate, network, country, size or rule that AWS WAF does not know, and an `allow`
            that lets in everybody.

    Example:
        >>> firewall = DoorFirewall(allow=("198.51.100.0/24", "2001:db8:17::/48"), requests_per_caller=600)
    """

    requests_per_ip: int = 6_000
    requests_per_caller: int = 3_000
    allow: Sequence[str] = ()
    deny: Sequence[str] = ()
    countries: Sequence[str] = ()
    not_countries: Sequence[str] = ()
    largest_body_kb: int = 64
    uninspected_rest: bool = False
    anonymous_ips: bool = True
    hosted_callers: bool = False
    counted_body_rules: Sequence[str] = ()
    log_retention_days: int = 365

    def __post_init__(self) -> None:
        problems = Problems()
        for name in ("requests_per_ip", "requests_per_caller"):
            if not _LEAST_RATE <= getattr(self, name) <= _HIGHEST_RATE:
                reason = (
                    f"AWS WAF counts to {_LEAST_RATE} at the least, and to {_HIGHEST_RATE:,} at the most."
                )
                problems.add(name, getattr(self, name), reason, "Write the requests of a minute.")
        allowed = _check_networks(problems, "allow", self.allow)
        denied = _check_networks(problems, "deny", self.deny)
        for network in allowed:
            widest = _WIDEST[network.version]
            if network.prefixlen < widest:
                problems.add(
                    "allow",
                    str(network),
                    f"A list that lets everybody in is none: it is wider than /{widest}.",
                    "Name the networks that callers have, or leave it out.",
                )
            if any(_within(network, other) for other in denied):
                problems.add("allow", str(network), "It lies in deny, which wins.", "Take one of them out.")
        self._check_countries(problems)
        self._check_body(problems)
        if self.hosted_callers and not self.anonymous_ips:
            problems.add(
                "hosted_callers",
                True,
                "Without anonymous_ips they are let through already.",
                "Leave one of them out.",
            )
        check_retention(problems, "log_retention_days", self.log_retention_days)
        problems.raise_if_any("DoorFirewall")

    @property
    def inspected_kb(self) -> int:
        """How much of a body AWS WAF inspects, in kilobytes."""
        return next((limit for limit in INSPECTED_KB if self.largest_body_kb <= limit), INSPECTED_KB[-1])

    def _check_countries(self, problems: Problems) -> None:
        for argument in ("countries", "not_countries"):
            given = getattr(self, argument)
            if _one_string(problems, argument, given):
                continue
            for code in given:
                if code not in _COUNTRIES:
                    problems.add(
                        argument,
                        code,
                        "ISO 3166 has no such country.",
                        "Write two capitals, for instance 'DE'.",
                    )
            _refuse_twice(problems, argument, given)
            if len(given) > _MOST_COUNTRIES:
                reason = f"AWS WAF takes {_MOST_COUNTRIES} countries."
                problems.add(argument, len(given), reason, "Name the others: those that may, or may not.")
        if self.countries and self.not_countries:
            problems.add(
                "not_countries",
                tuple(self.not_countries),
                "With countries, all others are refused.",
                "Write one.",
            )

    def _check_body(self, problems: Problems) -> None:
        size, inspected = self.largest_body_kb, INSPECTED_KB[-1]
        if not 1 <= size <= MOST_KB:
            reason = f"API Gateway takes {MOST_KB:,} KB at the most."
            problems.add("largest_body_kb", size, reason, f"Write 1 to {inspected}.")
        elif size > inspected and not self.uninspected_rest:
            problems.add(
                "largest_body_kb",
                size,
                f"AWS WAF inspects {inspected} KB of a body at the most: what lies beyond would pass unseen.",
                f"Write {inspected} or less, or uninspected_rest=True where that is meant.",
            )
        elif size <= inspected and self.uninspected_rest:
            reason = f"A body of {size} KB is inspected to its end."
            problems.add("uninspected_rest", True, reason, "Leave it out.")
        if _one_string(problems, "counted_body_rules", self.counted_body_rules):
            return
        for rule in self.counted_body_rules:
            if rule not in BODY_RULES:
                problems.add(
                    "counted_body_rules",
                    rule,
                    "No rule of the core group that reads bodies.",
                    f"Write one of {', '.join(BODY_RULES)}.",
                )
        _refuse_twice(problems, "counted_body_rules", self.counted_body_rules)


def networks(given: Sequence[str], version: int) -> list[str]:
    """Give the networks of one version of IP, in order; what is known at deployment only counts as IPv4."""
    return [each for each in given if (6 if ":" in each and not is_token(each) else 4) == version]


def _check_networks(
    problems: Problems, argument: str, given: Sequence[str]
) -> list[IPv4Network | IPv6Network]:
    found: list[IPv4Network | IPv6Network] = []
    if _one_string(problems, argument, given):
        return found
    for each in given:
        if is_token(each):
            continue
        try:
            network = ip_network(each)
        except ValueError as error:
            problems.add(argument, each, f"No network: {error}.", "Write it as '198.51.100.0/24'.")
            continue
        if "/" not in each:
            problems.add(argument, each, "An address without its length.", f"Write '{network}'.")
        elif network.prefixlen == 0 and argument == "deny":
            problems.add(argument, each, "Nobody could call.", "Name networks; AWS WAF takes no /0.")
        else:
            found.append(network)
    _refuse_twice(problems, argument, given)
    for version in (4, 6):
        if len(networks(given, version)) > _MOST_ADDRESSES:
            reason = f"A list of AWS WAF holds {_MOST_ADDRESSES:,} networks."
            problems.add(argument, len(given), reason, "Name wider networks.")
    return found


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _one_string(problems: Problems, argument: str, given: Sequence[str]) -> bool:
    if isinstance(given, str):
        problems.add(argument, given, "One string where a tuple belongs.", f"Write ({given!r},).")
        return True
    return False


def _refuse_twice(problems: Problems, argument: str, given: Sequence[str]) -> None:
    for each in sorted(each for each, times in Counter(given).items() if times > 1):
        problems.add(argument, each, "It is there twice.", "Write it once.")
