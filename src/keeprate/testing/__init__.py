"""Stand-ins and builders for tests: ours, and those of whoever builds on Keeprate."""
