"""fixout: children to venues by FIX, and what the venues say of them back to the engine."""
