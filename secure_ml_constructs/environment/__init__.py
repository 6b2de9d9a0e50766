"""A whole environment from one configuration file."""

from secure_ml_constructs.environment.config import EnvironmentConfig, load_config
from secure_ml_constructs.environment.environment import SecureMlEnvironment

__all__ = ["EnvironmentConfig", "SecureMlEnvironment", "load_config"]
