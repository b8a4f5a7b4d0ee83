"""What follows a change of the table: a day's usage is kept, a use is noted, a gateway key handed out."""
