"""Mails: what there is to tell people, how it is worded, and how it gets to them behind the request."""
