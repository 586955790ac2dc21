"""The upstream of a home without a key: the emulator, started as a child when first needed."""
