"""What is written down, and how a command lives and speaks; nothing here knows what a network is."""

__version__ = "0.1.0"
