"""Secure machine-learning environments on AWS, as CDK constructs."""
