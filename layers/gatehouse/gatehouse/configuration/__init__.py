"""The configuration of the system: what an ADMIN sets over what the deployment says."""
