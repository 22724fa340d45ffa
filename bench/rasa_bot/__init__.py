"""The peer of `bench.turn`: a minimal Rasa 3.6 bot that answers each intent with one utterance, by rule."""
