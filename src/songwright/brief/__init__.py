"""What was asked: `Brief`, and the readers that make one from free text in English, Chinese and Russian."""
