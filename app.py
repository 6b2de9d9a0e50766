"""The reference environment: `cdk synth -c environment=environments/reference.yaml`."""

import sys

import aws_cdk as cdk

from secure_ml_constructs.enforcement import enforce
from secure_ml_constructs.environment import SecureMlEnvironment, load_config
from secure_ml_constructs.errors import ConfigurationError

app = cdk.App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
try:
    config = load_config(app.node.try_get_context("environment") or "environments/reference.yaml")
    checks = enforce(app, rules=config.rule_settings())
    SecureMlEnvironment(app, "Environment", config=config)
except ConfigurationError as error:
    sys.exit(str(error))
checks.synth()
