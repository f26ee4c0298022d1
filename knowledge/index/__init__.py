"""The TF-IDF index: texts become terms, terms become posting lists, questions are looked up in them."""
