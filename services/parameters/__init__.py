"""parameters: what people and counterparties read of the definitions in streams/parameters."""
