"""The cleanup of accounts that nobody uses."""
