"""The network: a VPC without a way out, or an existing one that has none."""

from secure_ml_constructs.network.addresses import AddressPlan
from secure_ml_constructs.network.egress import Egress
from secure_ml_constructs.network.endpoint_services import SERVICES, EndpointProfile, EndpointService
from secure_ml_constructs.network.endpoints import Endpoints
from secure_ml_constructs.network.existing_network import ExistingNetwork
from secure_ml_constructs.network.existing_vpc import ExistingGroups, ExistingSubnet, ExistingVpc
from secure_ml_constructs.network.ml_network import MlNetwork
from secure_ml_constructs.network.on_premises import OnPremises
from secure_ml_constructs.network.prefix_lists import PrefixLists
from secure_ml_constructs.network.secure_vpc import (
    EncryptionControl,
    InternetGatewayBlock,
    SecureVpc,
    VpcGuards,
)

__all__ = [
    "SERVICES",
    "AddressPlan",
    "Egress",
    "EncryptionControl",
    "EndpointProfile",
    "EndpointService",
    "Endpoints",
    "ExistingGroups",
    "ExistingNetwork",
    "ExistingSubnet",
    "ExistingVpc",
    "InternetGatewayBlock",
    "MlNetwork",
    "OnPremises",
    "PrefixLists",
    "SecureVpc",
    "VpcGuards",
]
