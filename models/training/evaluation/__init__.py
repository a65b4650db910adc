"""Figures of merit: how well a method paints, judged by the real VGG16."""
