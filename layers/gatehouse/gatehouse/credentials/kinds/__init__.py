"""The kinds of credentials, one module each: how a fresh one is told, and how what a client sends is taken apart."""
