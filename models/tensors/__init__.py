"""Pictures as tensors: sizes, tiles and Gram matrices."""
