"""The verbs: the order in which things happen. They know ports, never who stands behind them."""
