"""The only room that knows DynamoDB."""
