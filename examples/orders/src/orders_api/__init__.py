"""An API of an operator's own: `handler` answers, `gate` is what it has from Gatehouse."""
