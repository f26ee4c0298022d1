"""Fine-tunes a generator on pairs of questions and answers, and tells whether it became better."""
