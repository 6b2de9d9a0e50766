"""Findings and coverage, written for people and for machines."""
