"""The doors: one module per group of paths, each turning HTTP into calls and answers back into HTTP."""
