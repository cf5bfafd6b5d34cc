"""Labels of other tools, read as named regions and written as the masks that training reads."""
