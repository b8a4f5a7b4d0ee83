"""Announcements: what happened to consumers, told to whoever listens on the operator's event bus."""
