"""Whether a door goes with the model behind it and the network around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity import RoleFoundation
from secure_ml_constructs.network import SecureVpc
from secure_ml_constructs.serving.caller_pool import CallerPool
from secure_ml_constructs.serving.door_auth import CognitoAuth, IamAuth, JwtAuth
from secure_ml_constructs.serving.front_door import FrontDoor


def check_door(
    problems: Problems, door: FrontDoor, foundation: RoleFoundation, tenants: Sequence[str]
) -> None:
    """Record what of a door does not go with the model behind it or the network around it.

    Args:
        problems: Where to record.
        door: The door.
        foundation: What stands around it.
        tenants: The tenants of the model; none where it is everybody's.
    """
    network, zones, auth = foundation.network, foundation.lake.zones, door.auth
    if not isinstance(auth, IamAuth):
        auth.check_tenants(problems, "door.auth", tenants)
    if isinstance(auth, JwtAuth):
        if "secretsmanager" not in network.endpoint_ids:
            problems.add(
                "door.auth",
                "DoorAuth.jwt",
                "The authorizer reads clients' keys from Secrets Manager, for which the network has no "
                "endpoint.",
                'Give the network Endpoints(extra=("secretsmanager",)).',
            )
        if auth.key_zone and auth.key_zone not in zones:
            fix = f"Begin it with one of {', '.join(zones)}."
            problems.add("door.auth.keys", auth.keys, "The lake has no such zone.", fix)
        if auth.key_host and isinstance(network, SecureVpc) and network.firewalled_egress is None:
            problems.add(
                "door.auth.keys",
                auth.keys,
                "The network has no way out, so that the issuer's keys could not be had.",
                f"Give the network Egress.firewalled(domains=[{auth.key_host!r}]), or copy the keys into a "
                "zone of the lake and write '<zone>/<path>'.",
            )
    if door.mutual_tls and door.mutual_tls.zone not in zones:
        problems.add(
            "door.mutual_tls.truststore",
            door.mutual_tls.truststore,
            "The lake has no such zone.",
            f"Begin it with one of {', '.join(zones)}.",
        )


def check_pool(
    problems: Problems, auth: CognitoAuth, pool: CallerPool | None, components: Mapping[str, str]
) -> None:
    """Record a pool that is missing, or whose clients are called otherwise than the tenants' components.

    Args:
        problems: Where to record.
        auth: The clients.
        pool: The clients in Cognito.
        components: The name of each tenant's component.
    """
    if pool is None:
        problems.add(
            "pool", None, "The clients have no user pool.", "Give CallerPool(self, 'Callers', auth=auth)."
        )
        return
    for tenant, name in pool.component_names.items():
        if tenant in components and components[tenant] != name:
            problems.add(
                f"endpoint.components[{tenant!r}]",
                components[tenant],
                "It is named otherwise than the client, whose token would reach nothing.",
                "Give ModelEndpoint(component_names=pool.component_names).",
            )
