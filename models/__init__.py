"""Everything that infers: text generation, diagnosis, vision, and the runtime that keeps it off the event loop."""
