"""Asks what must not happen, and answers with a proof, a concrete request, or why neither can be given."""
