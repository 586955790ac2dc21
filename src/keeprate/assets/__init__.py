"""Images under the hash of their bytes, replies until they are settled, and files that explain themselves."""
