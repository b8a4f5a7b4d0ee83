"""The door's keeper: a REQUEST authorizer that tells API Gateway who is calling."""
