"""Containers: images of our services, stand-ins where none can be pulled, the run of both in CI."""
