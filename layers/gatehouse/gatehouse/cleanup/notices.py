"""What the cleanup tells the owners of accounts, by mail."""

from dataclasses import dataclass
from datetime import datetime

from gatehouse.consumers.model import User
from gatehouse.mail.letters import moment
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import Writer


@dataclass(frozen=True)
class WrittenNotices:
    """The port `cleanup.service.Notices`."""

    writer: Writer

    def of_warning(self, user: User, deactivation_after: datetime) -> Mail:
        return self.writer.write(MailKind.ACCOUNT_DORMANT, user.email, words={"day": moment(deactivation_after)})

    def of_deactivation(self, user: User) -> Mail:
        return self.writer.write(MailKind.ACCOUNT_DEACTIVATED, user.email)
