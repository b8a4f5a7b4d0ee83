"""What programs sign in with: API keys."""
