"""Whole studies: networks made and measured, claims judged, pages and pictures drawn."""
