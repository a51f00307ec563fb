"""What the words around an image say of it, before anything is downloaded."""

from models.text.classifier import Answer, Text, TextClassifier

__all__ = ["Answer", "Text", "TextClassifier"]
