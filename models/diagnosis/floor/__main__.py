"""Makes the floor of diagnosis and the detector of red flags, at set-up: ``python -m models.diagnosis.floor``."""

from models.diagnosis.floor import starter_floor
from models.diagnosis.red_flags import starter_detector

starter_floor.install()
starter_detector.install()
