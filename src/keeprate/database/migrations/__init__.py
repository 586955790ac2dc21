"""The schema's history, a file per step, run in order. Written once, never edited."""
