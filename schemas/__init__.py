"""Avro schemas of every message, one file each, and what is generated from them."""
