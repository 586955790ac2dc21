"""Keeprate's own HTTP API, under /api: what the dialects of others have no words for."""
