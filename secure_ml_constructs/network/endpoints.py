"""Which endpoints a network has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.endpoint_services import SERVICES, EndpointProfile, EndpointService

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """The endpoints a network has: a profile, and what is added to it or left out.

    Each interface endpoint is charged by the hour and availability zone; gateway endpoints are free.

    Args:
        profile: The named set to start from. Default: `EndpointProfile.STUDIO`.
        extra: Further services, by a catalogue name or as an `EndpointService` of your own.
        without: Services of the profile to leave out: one the region does not offer, or nobody calls.
        zones: For a service that is not offered in every zone, the zones it gets, as indices from 0 or as
            names. Default: every zone.
        interface_s3: Reach S3 by an interface endpoint in place of the gateway. Then groups and NACLs need no
            rule for S3's addresses, and its traffic is charged by the gigabyte.
        aws_images: Let AWS's own deep-learning and algorithm images be pulled. Default: True.

    Raises:
        ConfigurationError: An unknown service, one named twice, or a zone list that is empty.

    Example:
        >>> Endpoints(profile=EndpointProfile.MINIMAL, extra=("bedrock-runtime",)).names[-1]
        'bedrock-runtime'
    """

    profile: EndpointProfile = EndpointProfile.STUDIO
    extra: Sequence[str | EndpointService] = ()
    without: Sequence[str] = ()
    zones: Mapping[str, Sequence[int | str]] = field(default_factory=dict)
    interface_s3: bool = False
    aws_images: bool = True

    def __post_init__(self) -> None:
        problems = Problems()
        for argument in ("extra", "without"):
            if isinstance(getattr(self, argument), str):
                fix = f"Write ({getattr(self, argument)!r},)."
                problems.add(argument, getattr(self, argument), "One string where a sequence belongs.", fix)
        problems.raise_if_any("Endpoints")
        for index, wanted in enumerate(self.extra):
            _check_extra(problems, f"extra[{index}]", wanted)
        for index, name in enumerate(self.without):
            if name not in self.profile.services:
                fix = f"Write one of {', '.join(self.profile.services)}."
                reason = f"The profile {self.profile} has no such service."
                problems.add(f"without[{index}]", name, reason, fix)
        problems.raise_if_any("Endpoints")
        known = self.names
        for name, zones in self.zones.items():
            if name not in known:
                problems.add(
                    f"zones[{name!r}]", zones, "There is no such endpoint to place.", fix_for(name, known)
                )
            elif SERVICES.get(name, _OTHER).gateway:
                problems.add(
                    f"zones[{name!r}]", zones, "A gateway endpoint stands in no zone.", "Leave it out."
                )
            elif isinstance(zones, str) or not zones:
                fix = "Name one zone or more, for instance (0, 1)."
                problems.add(f"zones[{name!r}]", zones, "No list of zones.", fix)
        problems.raise_if_any("Endpoints")

    @property
    def services(self) -> tuple[EndpointService, ...]:
        """The chosen services, each once, the profile's first."""
        chosen: dict[str, EndpointService] = {}
        for name in self.profile.services:
            if name not in self.without:
                actual = "s3-interface" if name == "s3" and self.interface_s3 else name
                chosen[actual] = SERVICES[actual]
        for wanted in self.extra:
            service = SERVICES[wanted] if isinstance(wanted, str) else wanted
            chosen[service.name] = service
        return tuple(chosen.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The chosen services' names."""
        return tuple(service.name for service in self.services)

    def check_zones(self, problems: Problems, zones: Sequence[str]) -> None:
        """Record the zones named for a service that the network does not have.

        Args:
            problems: Where to record.
            zones: The network's zones in order; empty strings where their names are not known.
        """
        for name, wanted in self.zones.items():
            for zone in wanted:
                known = 0 <= zone < len(zones) if isinstance(zone, int) else zone in zones
                if not known or isinstance(zone, bool):
                    named = [z for z in zones if z]
                    fix = f"Write an index below {len(zones)}" + (f" or one of {named}." if named else ".")
                    problems.add(f"endpoints.zones[{name!r}]", zone, "The network has no such zone.", fix)

    def positions(self, service: str, zones: Sequence[str]) -> tuple[int, ...]:
        """Give the positions of the zones in which a service gets an interface."""
        wanted = self.zones.get(service)
        if wanted is None:
            return tuple(range(len(zones)))
        return tuple(sorted({zone if isinstance(zone, int) else zones.index(zone) for zone in wanted}))


_OTHER = EndpointService(name="other")


def _check_extra(problems: Problems, argument: str, wanted: str | EndpointService) -> None:
    if isinstance(wanted, str):
        if wanted not in SERVICES:
            reason = "The catalogue has no such service."
            problems.add(argument, wanted, reason, fix_for(wanted, tuple(SERVICES)))
    elif not _NAME.fullmatch(wanted.name):
        fix = "Write lower-case letters, digits, dots and hyphens."
        problems.add(f"{argument}.name", wanted.name, "This is no name of a service.", fix)
    elif not _NAME.fullmatch(wanted.pattern.replace("{region}", "region")):
        fix = "Write the name that AWS or the provider gives, with {region} for the region."
        problems.add(f"{argument}.service_name", wanted.service_name, "This is no name of a service.", fix)
    elif wanted.gateway and wanted.name not in SERVICES:
        reason = "AWS has gateway endpoints for S3, S3 Express and DynamoDB only."
        problems.add(f"{argument}.gateway", wanted.gateway, reason, "Leave it out, or name one of these.")
    elif wanted.name in SERVICES and wanted != SERVICES[wanted.name]:
        fix = f"Write {wanted.name!r} for the catalogue's, or take another name."
        problems.add(f"{argument}.name", wanted.name, "The catalogue has this name for another service.", fix)


def fix_for(name: str, known: Sequence[str]) -> str:
    """Say what to write instead of a name that is not known."""
    close = get_close_matches(name.rsplit("amazonaws.", 1)[-1], known, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(repr(match) for match in close)}?"
    return f"Write one of {', '.join(known)}, or an EndpointService of your own in extra."
