"""Engines have a local model write tokens: CTranslate2 for the T5 family, torch for all others."""
