"""What is made of a finished painting: a comparison with its photo, a print, a film."""
