"""Models on this machine: found, pulled from the hub, verified, chosen and removed."""
