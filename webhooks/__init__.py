"""The web door: the Flask application with the receipt path, challenges, health and metrics."""
