"""What we claim about speed and quality, each runnable by anyone, each against what it is compared with."""
