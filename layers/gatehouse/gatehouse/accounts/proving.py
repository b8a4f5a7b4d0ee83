"""The current password, asked for again in a session before what is sensitive."""

from gatehouse.accounts.lockout import Attempt
from gatehouse.accounts.model import Account
from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.errors import BadRequest, RateLimitExceeded


def prove_password(attempt: Attempt, hasher: PasswordHasher, account: Account, given: str) -> None:
    """Nothing, where it is the account's password; raises BadRequest, and RateLimitExceeded after too many."""
    if attempt.refused is not None:
        raise RateLimitExceeded("Too many wrong codes or passwords from here. Try again later.")
    if not attempt.take(is_right=hasher.matches(given, account.password_hash)):
        raise BadRequest("currentPassword is wrong.", field="currentPassword", reason="WRONG_PASSWORD")
