"""The HTTP front: one port, three dialects, one authenticator, and no money of its own."""
