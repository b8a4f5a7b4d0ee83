"""The keys that sign tokens: how they are kept, remembered, rotated and retired."""
