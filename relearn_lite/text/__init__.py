"""What is in a text: words of any script, stems, numbers, and the specifics that must not leak. No models, no data files."""
