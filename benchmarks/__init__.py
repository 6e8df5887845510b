"""What takes minutes: speed, memory, how well importance explains, and effect."""
