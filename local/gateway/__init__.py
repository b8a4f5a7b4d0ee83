"""API Gateway's stand-in: HTTP becomes the events that AWS sends, the handlers are called as Lambda calls them.

`intrinsics` and `template` read a template, `api` is what it has of an API; `events`, `authorizer`, `responses` are the
rules of a REST API; `control_plane`, `wall` and `usage_plans` are its keys and their plans; `runtime` is Lambda, and
`streams`, `patterns`, `pump` and `following` its side of the table's changes; `gateway` puts a request's way in order;
`store` and `moto_guard` are DynamoDB; `server` is the HTTP side; `environment`, `welcome` and `__main__` start it all.
"""
