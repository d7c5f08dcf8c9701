"""Fits the models that `cleaning` ships; nothing here is needed at run time."""
