"""Upstreams: each surface's wire, translated in pure code and sent by a thin client."""
