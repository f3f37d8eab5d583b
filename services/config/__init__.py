"""Configuration as files: checked, compared with the log, published as events."""
