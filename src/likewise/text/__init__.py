"""From texts to packed token streams."""
