"""The ready-made styles: the catalogue, the pictures, and the programs that drew them."""
