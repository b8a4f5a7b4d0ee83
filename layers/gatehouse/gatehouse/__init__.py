"""Gatehouse's domain: consumers, how they sign in, what they may do. Doors and storage live beside it."""
