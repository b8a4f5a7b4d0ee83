"""API Gateway's stand-in: HTTP becomes the events that AWS sends, the handlers are called as Lambda calls them.

`intrinsics` and `template` read template.yaml; `events`, `authorizer`, `responses` are the rules of a REST API;
`runtime` is Lambda; `gateway` puts them in order; `store` and `moto_guard` are DynamoDB; `server` is the HTTP side;
`environment`, `welcome` and `__main__` start it all, and `process` does so from outside.
"""
