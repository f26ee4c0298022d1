"""What generators behind a server share: the connection, its faults, the bill, and what may leave this machine."""
