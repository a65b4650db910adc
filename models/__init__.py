"""The torch side: encoders, the draft, painting by neighbours, and their training."""
