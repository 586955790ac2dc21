"""The fronts for programs: asynchronous, and waiting."""
