"""Models that answer predictions, and the only door to them."""
