"""Ports to the world beyond the table."""
