"""The Gemini API surface: an API key and `/v1beta/models/…`."""
