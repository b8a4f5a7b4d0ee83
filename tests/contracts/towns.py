"""A town on the table: people, what they do, and what is left of it."""

from typing import Any

from gatehouse.accounts.lockout import account as subject_of
from gatehouse.accounts.model import Account, Origin, SignIn
from gatehouse.admission.service import Admission
from gatehouse.audit.model import AuditAction
from gatehouse.consumers.model import User
from gatehouse.credentials.model import CredentialQuery, CredentialType, IssuedCredential
from gatehouse.credentials.service import NewCredential
from gatehouse.errors import Unauthenticated
from gatehouse.mail.model import Mail, MailKind
from gatehouse.permissions import Caller
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.tokens import SESSION
from gatehouse.wiring.people import People
from tests.contracts.made_up import (
    admission_on_the_table,
    credentials_on_the_table,
    keep_account,
    people_on_the_table,
)
from tests.contracts.worlds import mails_in
from tests.stores import Store
from tests.unit.fakes import AT_HOME, HOME, PASSWORD, PASSWORD_HASH, START, TOKENS, StoppedClock, a_user, the_settings
from tests.unit.post import SEAL

A_KEY = NewCredential(type=CredentialType.KEY_AUTH)


class Town:
    """John on a table, whose requests are not limited, and whoever else is added."""

    def __init__(self, store: Store, clock: StoppedClock, **john: Any) -> None:
        self.store, self.clock = store, clock
        self.settings = the_settings(THROTTLE_LIMIT="1000000", GUESS_LIMIT_ADDRESS="1000")
        self.john = self.add("john", **john)

    @property
    def people(self) -> People:
        """The use cases, as a function has them that has seen nothing yet."""
        return people_on_the_table(self.clock, self.settings)

    @property
    def admission(self) -> Admission:
        """The gate, the same."""
        return admission_on_the_table(self.clock, self.settings)

    def add(self, name: str, **changes: Any) -> User:
        user = a_user(name, **{"email_verified_at": START, **changes})
        keep_account(user, None, PASSWORD_HASH)
        return user

    def login(self, user: User | None = None, password: str = PASSWORD, origin: Origin = AT_HOME) -> SignIn:
        return self.people.accounts.login((user or self.john).email, password, origin)

    def caller(self, signed: SignIn) -> Caller:
        """Who comes with the access token, whether or not it is good."""
        claims = TOKENS.verify(SESSION, signed.access_token, self.clock.now())
        return Caller(consumer_id=claims.subject, role=signed.user.role, session_id=claims.own["sid"])

    def is_let_in(self, signed: SignIn) -> bool:
        """Whether the gate takes the access token."""
        try:
            return self.admission.by_session(signed.access_token, HOME).caller.consumer_id is not None
        except Unauthenticated:
            return False

    def which_signs_in(self, *passwords: str) -> list[str]:
        """Those of the passwords that are the account's, each tried from an address of its own."""
        right = []
        for number, password in enumerate(passwords):
            try:
                self.login(password=password, origin=Origin(f"198.51.100.{number}", "curl"))
            except Unauthenticated:
                continue
            right.append(password)
        return right

    def account(self) -> Account:
        found = DynamoAccounts().find_account_of(self.john.id)
        assert found is not None
        return found

    def mails(self, kind: MailKind) -> list[Mail]:
        return [mail for mail in mails_in(self.store) if mail.kind is kind and not mail.is_for_nobody]

    def told(self, action: AuditAction) -> int:
        """How many events there are of it."""
        return sum(event.action is action for event in self.store.events())

    def link(self) -> str:
        """The token of the only link that was mailed."""
        [mail] = [mail for mail in mails_in(self.store) if mail.sealed_token is not None]
        return SEAL.open(mail.sealed_token or "", mail.id).text()

    def create(self, signed: SignIn) -> IssuedCredential:
        """A credential more, for who comes with the access token."""
        caller = self.admission.by_session(signed.access_token, HOME).caller
        return credentials_on_the_table(self.clock).create(caller, A_KEY)

    def live_programs(self) -> list[str]:
        """The credentials that are on."""
        page = DynamoCredentials().page_credentials(CredentialQuery(consumer_id=self.john.id), 100, None)
        return [credential.id for _, credential in page.entries if credential.is_active]

    def count(self) -> tuple[int, int]:
        """How many failures are counted at the account, and how many were refused untried."""
        item = self.store.item(f"TRY#{subject_of(self.john.id).name}", "T")
        assert item is not None
        assert item["flying"] == {"N": "0"}
        return int(item["failed"]["N"]), int(item.get("refused", {"N": "0"})["N"])
