"""Doors on a person's own machine: `gateway`, API Gateway's stand-in, and `cli`, the operator's command line."""
