"""The door of OAuth2 clients, which asks the gate itself: tokens are given, looked at and taken back."""
