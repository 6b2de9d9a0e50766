"""Code that runs in AWS. It knows nothing of the CDK and nothing of the rest of the package."""
