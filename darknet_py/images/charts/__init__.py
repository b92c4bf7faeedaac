"""Pictures of figures: charts, contact sheets, confusion matrices, drawn with Pillow."""
