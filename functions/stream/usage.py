"""A day is over: what was asked for on it is kept."""

from gatehouse.changes import DayEnded, UsageDays


def follow(fact: DayEnded, days: UsageDays) -> None:
    days.keep_day(fact.consumer_id, fact.day, fact.requests)
