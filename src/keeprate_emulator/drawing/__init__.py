"""Pictures, from the words of a prompt to encoded bytes that say they are simulated."""
