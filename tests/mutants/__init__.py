"""Take every security property of an environment away, one at a time, and see whether a rule notices."""
