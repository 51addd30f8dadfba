"""One room per store, strangers to each other. Only the wiring may import from here."""
