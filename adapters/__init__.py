"""The front doors: each translates between its platform and the core, renders and sends; none decides anything."""
