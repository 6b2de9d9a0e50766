"""The look at a Direct Connect gateway's connections, against answers of the shapes that AWS gives."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from secure_ml_constructs.runtime import network_settings

GATEWAY = "01234567-89ab-cdef-0123-456789abcdef"
Connections = list[dict[str, Any]]


@pytest.fixture
def directconnect(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    client = boto3.client(
        "directconnect", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    asked: list[str | None] = []

    def give(service: str, region_name: str | None = None) -> Any:
        asked.append(region_name)
        assert service == "directconnect"
        # The gateway is asked for at home, its interfaces where they are.
        assert asked == [None, *["eu-west-1"] * (len(asked) - 1)]
        return client

    monkeypatch.setattr(boto3, "client", give)
    stub = Stubber(client)
    stub.activate()
    return stub


def attached(stub: Stubber, *names: str, token: str = "", after: str = "") -> None:
    attachments = [{"virtualInterfaceId": name, "virtualInterfaceRegion": "eu-west-1"} for name in names]
    answer: dict[str, Any] = {"directConnectGatewayAttachments": attachments}
    asked = {"directConnectGatewayId": GATEWAY, **({"nextToken": after} if after else {})}
    if token:
        answer["nextToken"] = token
    stub.add_response("describe_direct_connect_gateway_attachments", answer, asked)


def interface(stub: Stubber, name: str, under: str) -> None:
    answer = {"virtualInterfaces": [{"virtualInterfaceId": name, "connectionId": under}] if under else []}
    stub.add_response("describe_virtual_interfaces", answer, {"virtualInterfaceId": name})


def connection(stub: Stubber, name: str, **more: str) -> None:
    answer = {"connections": [{"connectionId": name, **more}]}
    stub.add_response("describe_connections", answer, {"connectionId": name})


def look() -> None:
    assert network_settings.run("Custom::EncryptedLink", {"GatewayId": GATEWAY}) == {}


def test_connections_that_must_encrypt_are_taken(directconnect: Stubber) -> None:
    attached(directconnect, "dxvif-1", token="more")
    attached(directconnect, "dxvif-2", after="more")
    interface(directconnect, "dxvif-1", "dxcon-1")
    connection(directconnect, "dxcon-1", encryptionMode="must_encrypt")
    interface(directconnect, "dxvif-2", "dxlag-2")
    lag = {"connections": [{"connectionId": "dxcon-2", "encryptionMode": "must_encrypt"}]}
    directconnect.add_response("describe_lags", {"lags": [lag]}, {"lagId": "dxlag-2"})
    look()
    directconnect.assert_no_pending_responses()


@pytest.mark.parametrize("more", [{"encryptionMode": "should_encrypt"}, {"encryptionMode": "no_encrypt"}, {}])
def test_a_connection_that_may_do_without_is_refused(directconnect: Stubber, more: dict[str, str]) -> None:
    attached(directconnect, "dxvif-1")
    interface(directconnect, "dxvif-1", "dxcon-1")
    connection(directconnect, "dxcon-1", **more)
    mode = more.get("encryptionMode", "no_encrypt")
    with pytest.raises(RuntimeError, match=f"dxcon-1 of dxvif-1 has MACsec mode {mode}"):
        look()


def test_one_link_of_a_group_that_may_do_without_is_refused(directconnect: Stubber) -> None:
    attached(directconnect, "dxvif-1")
    interface(directconnect, "dxvif-1", "dxlag-1")
    members: Connections = [
        {"connectionId": "dxcon-1", "encryptionMode": "must_encrypt"},
        {"connectionId": "dxcon-2", "encryptionMode": "should_encrypt"},
    ]
    directconnect.add_response("describe_lags", {"lags": [{"connections": members}]}, {"lagId": "dxlag-1"})
    with pytest.raises(RuntimeError, match="dxcon-2"):
        look()


@pytest.mark.parametrize("under", ["", "dxcon-1"])
def test_what_can_t_be_seen_is_refused(directconnect: Stubber, under: str) -> None:
    attached(directconnect, "dxvif-1")
    interface(directconnect, "dxvif-1", under)
    if under:
        directconnect.add_response("describe_connections", {"connections": []}, {"connectionId": under})
    with pytest.raises(RuntimeError, match="not to be seen from this account"):
        look()


def test_a_gateway_without_an_interface_is_refused(directconnect: Stubber) -> None:
    attached(directconnect)
    with pytest.raises(RuntimeError, match="no virtual interface yet"):
        look()
