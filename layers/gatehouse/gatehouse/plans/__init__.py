"""Usage plans: how much the credentials of a consumer may ask for, and of which shape."""
