"""Image -> mask: networks, preprocessing, inference backends and the `Segmenter` over them."""
