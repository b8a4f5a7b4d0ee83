"""The part of the journey in `recorded_calls` that people go with their own accounts, by the links of their mails."""

from collections.abc import Callable
from typing import Any

type Send = Callable[..., Any]
type Credential = tuple[str, str]

PASSWORDS = ("SecurePass123!", "An0ther-Secret!")


class People:
    """People who send GraphQL; `link_to` is the token of the latest mail to an address."""

    def __init__(self, send: Send, link_to: Callable[[str], str]) -> None:
        self._send, self._link_to = send, link_to

    def do(self, mutation: str, by: Credential | None = None) -> Any:
        return self._send(f"mutation {{ {mutation} }}", by)

    def enter(self, mutation: str, by: Credential | None = None) -> Credential:
        """What somebody comes in with who is signed in by that."""
        (told,) = self.do(f"{mutation} {{ accessToken }}", by).values()
        return ("Authorization", f"Bearer {told['accessToken']}")

    def register(self, name: str) -> Credential:
        given = f'username: "{name}", email: "{_email(name)}", password: "{PASSWORDS[0]}"'
        return self.enter(f"register(registerInput: {{{given}}})")

    def verify(self, address: str, by: Credential) -> None:
        self.do(f'verifyEmail(token: "{self._link_to(address)}") {{ id }}', by)

    def reset_password(self, name: str, new: str) -> None:
        self.do(f'requestPasswordReset(email: "{_email(name)}")')
        self.do(f'resetPassword(token: "{self._link_to(_email(name))}", newPassword: "{new}")')

    def accept_invitation(self, name: str) -> None:
        given = f'token: "{self._link_to(_email(name))}", username: "{name}", password: "{PASSWORDS[0]}"'
        self.enter(f"acceptInvitation(acceptInvitationInput: {{{given}}})")

    def end_session(self, by: Credential) -> None:
        (session,) = self._send("{ sessions { id } }", by)["sessions"]
        self.do(f'revokeSession(id: "{session["id"]}") {{ id }}', by)


def live_with_accounts(people: People, admin: Credential) -> None:
    """Passwords and emails are changed and set anew, mailboxes shown, sessions ended, somebody is invited."""
    anna, ben = people.register("anna"), people.register("ben")
    people.verify(_email("anna"), anna)
    people.do("requestEmailVerification", ben)
    people.do("createCredential(createCredentialInput: {type: KEY_AUTH}) { id }", ben)
    people.reset_password("ben", PASSWORDS[1])  # of an account whose mailbox nobody has shown to be theirs
    people.do('requestPasswordReset(email: "nobody@example.com")')
    given = f'currentPassword: "{PASSWORDS[0]}", newPassword: "{PASSWORDS[1]}"'
    anna = people.enter(f"changePassword(changePasswordInput: {{{given}}})", anna)
    given = f'newEmail: "anna.moved@example.com", currentPassword: "{PASSWORDS[1]}"'
    people.do(f"changeEmail(changeEmailInput: {{{given}}})", anna)
    people.verify("anna.moved@example.com", anna)
    people.do("createCredential(createCredentialInput: {type: KEY_AUTH}) { id }", anna)
    people.do("revokeAllSessions(includeCredentials: true)", anna)
    people.end_session(people.enter(_login("ben", PASSWORDS[1])))
    people.do(f'inviteUser(inviteUserInput: {{email: "{_email("carl")}"}}) {{ email }}', admin)
    people.accept_invitation("carl")


def _email(name: str) -> str:
    return f"{name}@example.com"


def _login(name: str, password: str) -> str:
    return f'login(loginInput: {{email: "{_email(name)}", password: "{password}"}})'
