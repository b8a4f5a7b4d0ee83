"""Sends what waits to be sent: each message of the queue is the id of a mail."""
