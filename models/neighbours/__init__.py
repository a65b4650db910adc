"""Painting by neural neighbours, coarse to fine.

Kolkin et al., "Neural Neighbor Style Transfer" (2022, arXiv 2203.13215), on top of Li & Wand,
"Combining Markov Random Fields and Convolutional Neural Networks for Image Synthesis" (2016): every
position of the picture takes the style's nearest column, style patches vote for a start, and a few
optimiser steps make the picture's columns those. A Gram term (Gatys, Ecker & Bethge 2016) keeps the
whole style's balance, a structure term the photo's forms.
"""
