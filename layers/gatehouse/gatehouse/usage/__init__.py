"""What a consumer has used, by day and credential, and why a call of theirs would be let in or refused."""
