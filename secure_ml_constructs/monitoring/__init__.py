"""Models watched: drift, quality, bias, and an alarm that reaches someone."""
