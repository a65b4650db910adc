"""Picture files in and out: whether they can be used, decoding, encoding; imports no torch."""
