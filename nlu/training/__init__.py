"""Training and judging the model: runs beside Rasa, never in a serving process."""
