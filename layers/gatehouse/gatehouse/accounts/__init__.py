"""Signing up, signing in and staying signed in: passwords, tokens, sessions."""
