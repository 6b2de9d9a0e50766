"""A whole environment from a dictionary in place of a file, with every check on."""

import aws_cdk as cdk

from secure_ml_constructs import SecureMlEnvironment, enforce
from secure_ml_constructs.environment.config import parse_config

CONFIG = {
    "name": "clinic-ml",
    "network": {"cidr": "10.50.0.0/20", "endpoints": {"profile": "minimal"}},
    "archive": {"retention_days": 3650},
}


def build(app: cdk.App) -> cdk.Stack:
    """Make the environment; give its last stack."""
    config = parse_config(CONFIG, where="examples/environment.py")
    return SecureMlEnvironment(app, "Clinic", config=config).stacks[-1]


if __name__ == "__main__":
    app = cdk.App()
    checks = enforce(app)
    build(app)
    checks.synth()
