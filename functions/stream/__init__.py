"""What follows a change of the table: a day's usage is kept, a use noted, a gateway key handed out, a mail queued."""
