"""A stand-in for Google's image APIs. It shares no code with keeprate."""
