"""Every DynamoDB key of the one table, and which question each answers.

    item              PK              SK       in index                  answers
    ----------------  --------------  -------  ------------------------  ---------------------------------------------
    profile           C#<user>        P        users-by-creation,        who is this consumer (and the password's hash)
                                               users-by-username
    session           C#<user>        S#<id>   -                         is this sign-in still good; ends by TTL
    credential        C#<user>        K#<id>   credentials-by-creation   what may this key do; all keys of a consumer
    usage of a day    C#<user>        U#<day>  -                         how often did each credential call; ends by TTL
    gate              G#<user>        G        -                         active? role? plan? epoch, counters, use today
    address's gate    IP#<address>    G        -                         how often did anonymous callers come from there
    ledger            TRY#<subject>   T        -                         what was tried and wrong, from where; by TTL
    mailbox           TRY#mail/<hash> T        -                         how many mails did it get lately; ends by TTL
    email claim       E#<email>       C        names                     whose email is it; sign-in; prefix search
    username claim    N#<username>    C        names                     whose username is it; prefix search
    key claim         KEY#<key id>    C        -                         whose key id was it ever; look-up by X-API-Key
    credential's way  ID#<id>         C        -                         whose credential is it, by its own id
    revoked token     TOK#<token id>  X        -                         was this token taken back; ends by TTL
    one-use token     TOK#<digest>    T        -                         what does this link allow, once; ends by TTL
    mail              MAIL#<id>       M, N     -                         what is to be sent to whom; gone when it was
    roster            ROSTER          R        -                         who are the active ADMINs, so that one stays
    usage plan        PLANS           <plan>   -                         what may its consumers ask for; all plans
    plan's name       PN#<name>       C        -                         which usage plan has the name

    index                    partition key            sort key     what a page of it costs
    -----------------------  -----------------------  -----------  ------------------------------------------
    users-by-creation        <role>#<active>#<shard>  PK           one query a partition: 24, 4 with role and state
    users-by-username        <role>#<active>#<shard>  usernameKey  the same
    names                    <shard>                  name         4 queries
    credentials-by-creation  <shard>                  SK           4 queries

Reserved for what is not built yet: EV# (audit events), SEAL# (the chain), CONF, and an index for the sweep.

An id of version 7 sorts by creation and ends in random bits: so PK and SK serve as sort keys, and the last digit picks
the shard. No key takes all the traffic: only the roster and the usage plans stand alone, and only ADMINs' changes write
them; a function reads a plan once a minute.
"""

from collections.abc import Iterable
from datetime import date

from gatehouse.consumers.model import Role

SHARDS = ("0", "1", "2", "3")

PROFILE = "P"
GATE = "G"
GUESSES = "T"
CLAIM = "C"
REVOKED = "X"
ONE_USE = "T"
MAIL = "M"
MAIL_FOR_NOBODY = "N"
ROSTER = "ROSTER"
ROSTER_SORT = "R"
PLANS = "PLANS"
SESSION_PREFIX = "S#"
CREDENTIAL_PREFIX = "K#"
USAGE_PREFIX = "U#"

USERS_BY_CREATION = "users-by-creation"
USERS_BY_USERNAME = "users-by-username"
NAMES = "names"
CREDENTIALS_BY_CREATION = "credentials-by-creation"


def consumer(user_id: str) -> str:
    """The partition that holds all that belongs to a consumer but its gate."""
    return f"C#{user_id}"


def consumer_id(partition: str) -> str:
    """The consumer whose partition it is."""
    return partition.removeprefix("C#")


def gate(user_id: str) -> str:
    return f"G#{user_id}"


def gate_owner(partition: str) -> str:
    """The consumer whose gate it is."""
    return partition.removeprefix("G#")


def address(address: str) -> str:
    """The gate of the anonymous callers of an address."""
    return f"IP#{address}"


def guesses(subject: str) -> str:
    return f"TRY#{subject}"


def session(session_id: str) -> str:
    return f"{SESSION_PREFIX}{session_id}"


def session_id(sort_key: str) -> str:
    """The session whose sort key it is."""
    return sort_key.removeprefix(SESSION_PREFIX)


def credential(credential_id: str) -> str:
    return f"{CREDENTIAL_PREFIX}{credential_id}"


def credential_id(sort_key: str) -> str:
    """The credential whose sort key it is."""
    return sort_key.removeprefix(CREDENTIAL_PREFIX)


def usage_day(day: date) -> str:
    return f"{USAGE_PREFIX}{day.isoformat()}"


def day_of_usage(sort_key: str) -> date:
    """The day whose usage the sort key stands for."""
    return date.fromisoformat(sort_key.removeprefix(USAGE_PREFIX))


def plan_name_claim(unique_name: str) -> str:
    return f"PN#{unique_name}"


def email_claim(unique_email: str) -> str:
    return f"E#{unique_email}"


def username_claim(unique_username: str) -> str:
    return f"N#{unique_username}"


def key_claim(key_id: str) -> str:
    return f"KEY#{key_id}"


def credential_way(credential_id: str) -> str:
    return f"ID#{credential_id}"


def revoked_token(token_id: str) -> str:
    return f"TOK#{token_id}"


def one_use(digest: str) -> str:
    """The partition of a one-use token, by its digest."""
    return f"TOK#{digest}"


def one_use_digest(partition: str) -> str:
    """The digest of the token whose partition it is."""
    return partition.removeprefix("TOK#")


def mail(mail_id: str) -> str:
    return f"MAIL#{mail_id}"


def mail_id(partition: str) -> str:
    """The mail whose partition it is."""
    return partition.removeprefix("MAIL#")


def shard(item_id: str) -> str:
    """One of four, by the random end of an id."""
    return SHARDS[int(item_id[-1], 16) % len(SHARDS)]


def listing(role: Role, is_active: bool, user_id: str) -> str:
    """The partition of the users' indexes in which a user stands."""
    return _listing(role, is_active, shard(user_id))


def listings(roles: Iterable[Role], states: Iterable[bool]) -> list[str]:
    """Every partition of the users' indexes that holds users of these roles and states."""
    return [_listing(role, state, part) for role in roles for state in states for part in SHARDS]


def _listing(role: Role, is_active: bool, part: str) -> str:
    return f"{role[0]}#{int(is_active)}#{part}"
