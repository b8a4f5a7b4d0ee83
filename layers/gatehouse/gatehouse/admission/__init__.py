"""The gate: who is this, and may they come in now."""
