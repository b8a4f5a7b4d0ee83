"""What programs sign in with: API keys, Basic credentials, JWTs and OAuth2 clients."""
