"""The floor of diagnosis: a classifier of words and letters that is trained in seconds and needs no download."""

from models.diagnosis.floor.classifier import FloorClassifier
from models.diagnosis.floor.starter_floor import floor_of
from models.diagnosis.floor.storage import load_floor, save_floor
from models.diagnosis.floor.training import train_floor

__all__ = ["FloorClassifier", "floor_of", "load_floor", "save_floor", "train_floor"]
