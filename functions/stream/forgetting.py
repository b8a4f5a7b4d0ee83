"""A consumer is gone: what tells of the person goes as well."""

from gatehouse.changes import People, PersonGone


def follow(fact: PersonGone, people: People) -> None:
    people.forget(fact)
