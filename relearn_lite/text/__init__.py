"""What is in a text: stems, numbers, and the specifics that must not leak. No models."""
