"""The built functions in SAM's own containers, on a DynamoDB emulator beside them."""
