"""The core: what a message is, who may do what, how it is answered, kept and delivered."""
