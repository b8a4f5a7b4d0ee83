"""The rotation of the signing keys: Secrets Manager calls it once for each of four steps."""
