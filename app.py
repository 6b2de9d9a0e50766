"""The reference environment: `cdk synth -c environment=environments/reference.yaml`."""

import sys

import aws_cdk as cdk

from secure_ml_constructs.enforcement import enforce
from secure_ml_constructs.environment import SecureMlEnvironment
from secure_ml_constructs.errors import ConfigurationError

app = cdk.App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
checks = enforce(app)
path = app.node.try_get_context("environment") or "environments/reference.yaml"
try:
    SecureMlEnvironment.from_file(app, "Environment", path)
except ConfigurationError as error:
    sys.exit(str(error))
checks.synth()
