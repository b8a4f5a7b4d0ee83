"""The door of the GraphQL API."""
