"""What neurons know: PSP-entropy and its relatives."""
