"""The JSON Schema of the configuration file, as it is published beside the environments."""

from __future__ import annotations

import json

from secure_ml_constructs.environment.config import EnvironmentConfig


def json_schema() -> str:
    """Give the schema as the text of its file."""
    schema = EnvironmentConfig.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
