"""What claims about performance rest on: each module is a command that prints its figure."""
