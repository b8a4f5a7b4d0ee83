"""Every DynamoDB key of the one table, and which question each answers.

    item              PK              SK       in index                  answers
    ----------------  --------------  -------  ------------------------  ---------------------------------------------
    profile           C#<user>        P        users-by-creation,        who is this consumer (and the password's hash)
                                               users-by-username
    session           C#<user>        S#<id>   -                         is this sign-in still good; ends by TTL
    credential        C#<user>        K#<id>   credentials-by-creation,  what may this key do; all keys of a consumer
                                               credentials-by-end
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
    one-use token     TOK#<digest>    T        owned-by                  what does this link allow, once; ends by TTL
    mail              MAIL#<id>       M, N     owned-by                  what is to be sent to whom; gone when it was
    roster            ROSTER          R        -                         who are the active ADMINs, so that one stays
    usage plan        PLANS           <plan>   -                         what may its consumers ask for; all plans
    plan's name       PN#<name>       C        -                         which usage plan has the name
    configuration     CONF            C        -                         what was set over the deployment's values
    event             EV#<id>         E        audit-by-subject,         what happened; never changed but to forget
                                               -by-actor, -by-action,    somebody, and dropped only with its seal
                                               -all
    event's mark      EV#<id>         S        -                         which seal has the event
    seal              SEAL#<n//1000>  <n>      -                         what was sealed as number n of the chain
    checkpoint        SEAL#CHECK      <n>      -                         where may the chain begin, once it is dropped
    chain's head      SEAL#HEAD       H        -                         where does the chain end, and where begin
    refusals' counter REF#<party>     R#<action>#<hour>  -               how many were there in the hour; by TTL

    index                    partition key            sort key     what a page of it costs
    -----------------------  -----------------------  -----------  ------------------------------------------
    users-by-creation        <role>#<active>#<shard>  PK           one query a partition: 24, 4 with role and state
    users-by-username        <role>#<active>#<shard>  usernameKey  the same
    names                    <shard>                  name         4 queries
    credentials-by-creation  <shard>                  SK           4 queries
    sweep                    <role>#<stage>#<part>    activeAt     one query of one of 16 parts; has gates only
    credentials-by-end       <shard>                  endsAt       4 queries; has those whose end is to be told only
    owned-by                 <user> or <mailbox>      PK           one query; has one-use tokens and mails only
    audit-by-subject         <user>                   PK           one query; has events only, as those below
    audit-by-actor           <user>                   PK           one query
    audit-by-action          <action>#<shard>         PK           4 queries
    audit-all                <shard>                  PK           4 queries

An id of version 7 sorts by creation and ends in random bits: so PK and SK serve as sort keys, and the last digit picks
the shard. No key takes all the traffic: only the roster, the usage plans and the configuration stand alone, and only
ADMINs' changes write them; a function reads a plan, and the configuration, once a minute. The chain's head is one item
as well: it is written once for up to 40 events, behind everybody's back.
"""

from collections.abc import Iterable
from datetime import date

from gatehouse.consumers.inactivity import Stage
from gatehouse.consumers.model import Role

SHARDS = ("0", "1", "2", "3")
SWEEP_PARTS = tuple("0123456789abcdef")
SEALS_TOGETHER = 1000

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
CONFIGURATION = "CONF"
CONFIGURATION_SORT = "C"
EVENT = "E"
MARK = "S"
HEAD = "SEAL#HEAD"
HEAD_SORT = "H"
CHECKPOINTS = "SEAL#CHECK"
REFUSALS_PREFIX = "R#"
SESSION_PREFIX = "S#"
CREDENTIAL_PREFIX = "K#"
USAGE_PREFIX = "U#"

USERS_BY_CREATION = "users-by-creation"
USERS_BY_USERNAME = "users-by-username"
NAMES = "names"
CREDENTIALS_BY_CREATION = "credentials-by-creation"
SWEEP = "sweep"
OWNED_BY = "owned-by"
CREDENTIALS_BY_END = "credentials-by-end"
AUDIT_BY_SUBJECT = "audit-by-subject"
AUDIT_BY_ACTOR = "audit-by-actor"
AUDIT_BY_ACTION = "audit-by-action"
AUDIT_ALL = "audit-all"


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


def event(event_id: str) -> str:
    return f"EV#{event_id}"


def event_id(partition: str) -> str:
    """The event whose partition it is."""
    return partition.removeprefix("EV#")


def action_shard(action: str, event_id: str) -> str:
    """The partition of the index by action in which an event stands."""
    return f"{action}#{shard(event_id)}"


def action_shards(action: str) -> list[str]:
    """Every partition of the index that holds events of the action."""
    return [f"{action}#{part}" for part in SHARDS]


def seals(number: int) -> str:
    """The partition that holds the seal of the number."""
    return f"SEAL#{number // SEALS_TOGETHER}"


def seal_number(number: int) -> str:
    """The sort key of a seal, and of a checkpoint."""
    return f"{number:015}"


def number_of_seal(sort_key: str) -> int | None:
    """The number whose sort key it is; None where it is none's."""
    return int(sort_key) if sort_key.isdecimal() and seal_number(int(sort_key)) == sort_key else None


def refusals(party: str) -> str:
    return f"REF#{party}"


def refusals_party(partition: str) -> str:
    """The party whose partition it is."""
    return partition.removeprefix("REF#")


def refusals_hour(action: str, hour: int) -> str:
    return f"{REFUSALS_PREFIX}{action}#{hour}"


def action_and_hour(sort_key: str) -> tuple[str, int]:
    """The action and the hour whose refusals the sort key stands for."""
    action, hour = sort_key.removeprefix(REFUSALS_PREFIX).split("#")
    return action, int(hour)


def shard(item_id: str) -> str:
    """One of four, by the random end of an id."""
    return SHARDS[int(item_id[-1], 16) % len(SHARDS)]


def listing(role: Role, is_active: bool, user_id: str) -> str:
    """The partition of the users' indexes in which a user stands."""
    return _listing(role, is_active, shard(user_id))


def listings(roles: Iterable[Role], states: Iterable[bool]) -> list[str]:
    """Every partition of the users' indexes that holds users of these roles and states."""
    return [_listing(role, state, part) for role in roles for state in states for part in SHARDS]


def sweep(role: Role, stage: Stage, user_id: str) -> str:
    """The partition of the sweep's index in which a gate stands; a part of 16, by the random end of the id."""
    return sweep_part(role, stage, user_id[-1])


def sweep_part(role: Role, stage: Stage, part: str) -> str:
    return f"{role}#{stage}#{part}"


def stage_of_sweep(partition: str) -> Stage:
    """The stage whose partition it is."""
    return Stage(partition.split("#")[1])


def _listing(role: Role, is_active: bool, part: str) -> str:
    return f"{role[0]}#{int(is_active)}#{part}"
