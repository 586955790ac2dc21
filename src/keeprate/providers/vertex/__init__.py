"""The Vertex surface: Google credentials or an express key, and `/v1beta1/…/publishers/google/models/…`."""
