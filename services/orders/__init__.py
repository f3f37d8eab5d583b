"""orders: client commands from a terminal or a file to the engine, and its answers back."""
