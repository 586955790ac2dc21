"""A stand-in for Google's image API: it speaks the wire, draws, bills and can be told to fail."""
