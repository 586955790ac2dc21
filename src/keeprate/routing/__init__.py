"""Which route a request takes, what it costs before it is bought, and why. Pure: the day is handed in."""
