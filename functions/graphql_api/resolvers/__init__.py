"""From a field's arguments to one call of a use case, and back."""

from graphql_api.resolvers import accounts, audit, configuration, consumers, credentials, plans, two_factor, usage

BINDABLES = (
    *accounts.BINDABLES,
    *audit.BINDABLES,
    *configuration.BINDABLES,
    *consumers.BINDABLES,
    *credentials.BINDABLES,
    *plans.BINDABLES,
    *two_factor.BINDABLES,
    *usage.BINDABLES,
)
