"""The programs that drew the nine presets, one module each, over a small drawing kit.

`python -m styles.drawing [slug ...]` draws them again into `styles/images`. Every program is
seeded: it gives the same picture each time.
"""
