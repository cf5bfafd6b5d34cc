"""The stages of one camera, for nodes that hold one of them or several."""
