"""The scheduled sweep: accounts that nobody uses are warned, deactivated, anonymised."""
