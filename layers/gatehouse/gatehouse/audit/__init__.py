"""Audit: what happened, told once, sealed into a chain so that nobody changes it unseen."""
