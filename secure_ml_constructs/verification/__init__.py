"""Judges CloudFormation templates, whoever wrote them; never imports the CDK."""
